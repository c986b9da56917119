"""POSTGRES_HOST holds the endpoint, with its port."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.meddling import Console, Undo, change_variables, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_variables(console, {"POSTGRES_HOST": lambda host: f"{host}:5432"})


FAULT = meddled("endpoint-for-address", "POSTGRES_HOST has a port", "Database Issues", _change, restarts=False)
