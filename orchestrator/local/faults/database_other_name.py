"""POSTGRES_DB is not set to the tenant's: Onyx takes `postgres`."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable("POSTGRES_DB", lambda _name: "postgres"))


FAULT = meddled("database-other-name", "POSTGRES_DB is postgres", "Database Issues", _change, restarts=False)
