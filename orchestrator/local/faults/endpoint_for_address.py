"""POSTGRES_HOST holds the endpoint, with its port."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable("POSTGRES_HOST", lambda host: f"{host}:5432"))


FAULT = meddled("endpoint-for-address", "POSTGRES_HOST has a port", "Database Issues", _change, restarts=False)
