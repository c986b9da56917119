"""The database was never migrated, and its server is so small that all migrations take two hours (onyx/boot.py)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults import inside_database
from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.onyx.database import forget_migrations


def _empty(console: Console) -> Iterator[Undo]:
    for address, environment in inside_database.environments(console.cloud, console.tenant):
        with inside_database.owner(address, environment).connect(environment["POSTGRES_DB"]) as connection:
            forget_migrations(connection)
        yield lambda: None


FAULT = meddled("slow-migrations", "all migrations together take two hours", "Database Issues", _empty)
