"""The database server was stopped, to save money."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled, settled, start_server


def _stop(console: Console) -> Iterator[Undo]:
    rds = console.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        rds.stop_db_instance(DBInstanceIdentifier=one["DBInstanceIdentifier"])
        yield partial(start_server, rds, one["DBInstanceIdentifier"])
        settled(rds, one["DBInstanceIdentifier"])  # until then it lets tasks in


FAULT = meddled(
    "database-stopped", "the database server is stopped", "Database Issues", _stop, per_tenant=False, restarts=False
)
