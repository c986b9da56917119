"""The database server is a micro."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _shrink(console: Console) -> Iterator[Undo]:
    rds = console.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        given = {"DBInstanceIdentifier": one["DBInstanceIdentifier"], "ApplyImmediately": True}
        rds.modify_db_instance(**given, DBInstanceClass="db.t4g.micro")
        size = one["DBInstanceClass"]
        yield lambda given=given, size=size: rds.modify_db_instance(**given, DBInstanceClass=size)  # type: ignore[misc]


FAULT = meddled(
    "small-database",
    "the database server is a db.t4g.micro",
    "Database Issues",
    _shrink,
    per_tenant=False,
    restarts=False,
)
