"""Somebody holds all connections that the database server has."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from orchestrator.local import inside_database
from orchestrator.local.meddling import Console, Undo, meddled


def _exhaust(console: Console) -> Iterator[Undo]:
    for _, master in inside_database.masters(console.cloud):
        held: list[psycopg.Connection] = []
        try:
            while True:
                held.append(master.connect("postgres"))
        except psycopg.OperationalError:
            yield lambda held=held: [one.close() for one in held]  # type: ignore[misc]


FAULT = meddled(
    "database-connections",
    "the database server has no connection left",
    "Database Issues",
    _exhaust,
    per_tenant=False,
)
