"""The database server was stopped, to save money."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _stop(console: Console) -> Iterator[Undo]:
    rds = console.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        name = {"DBInstanceIdentifier": one["DBInstanceIdentifier"]}
        rds.stop_db_instance(**name)
        yield lambda name=name: rds.start_db_instance(**name)  # type: ignore[misc]


FAULT = meddled(
    "database-stopped", "the database server is stopped", "Database Issues", _stop, per_tenant=False, restarts=False
)
