"""Somebody's leaking pool takes every connection of the database server, and every one that becomes free."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg

from orchestrator.local.faults import inside_database
from orchestrator.local.faults.inside_database import DatabaseUser
from orchestrator.local.faults.manual_changes import Console, Undo, meddled

PAUSE = 0.02
"""Real seconds until it tries again."""


def _leak(login: DatabaseUser, stopping: threading.Event, full: threading.Event) -> None:
    held: list[psycopg.Connection] = []
    while not stopping.is_set():
        try:
            held.append(login.connect("postgres"))
        except psycopg.OperationalError:
            full.set()
            stopping.wait(PAUSE)
    for one in held:
        one.close()


def _exhaust(console: Console) -> Iterator[Undo]:
    for _, master in inside_database.masters(console.cloud):
        stopping, full = threading.Event(), threading.Event()
        pool = threading.Thread(target=_leak, args=(master, stopping, full), daemon=True)
        pool.start()
        full.wait()

        def close(stopping: threading.Event = stopping, pool: threading.Thread = pool) -> None:
            stopping.set()
            pool.join()

        yield close


FAULT = meddled(
    "database-connections",
    "the database server has no connections left",
    "Database Issues",
    _exhaust,
    per_tenant=False,
)
