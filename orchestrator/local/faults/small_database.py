"""The database server is a micro."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_server, meddled


def _shrink(console: Console) -> Iterator[Undo]:
    rds = console.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        yield change_server(rds, one, DBInstanceClass="db.t4g.micro")


FAULT = meddled(
    "small-database",
    "the database server is a db.t4g.micro",
    "Database Issues",
    _shrink,
    per_tenant=False,
    restarts=False,
)
