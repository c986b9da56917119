"""Two tasks start at once on a database that was never migrated, where migrations take ten minutes (onyx/boot.py)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults import inside_database
from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled
from orchestrator.local.onyx.database import forget_migrations


def _start_two(console: Console) -> Iterator[Undo]:
    for address, environment in inside_database.environments(console.cloud, console.tenant):
        with inside_database.owner(address, environment).connect(environment["POSTGRES_DB"]) as connection:
            forget_migrations(connection)
    yield from change_service(console, desiredCount=2, forceNewDeployment=True)


FAULT = meddled(
    "several-migrators", "two tasks migrate an empty database at once", "Database Issues", _start_two, restarts=False
)
