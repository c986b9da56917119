"""The database server has a public address."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_server, meddled


def _open(console: Console) -> Iterator[Undo]:
    rds = console.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        yield change_server(rds, one, PubliclyAccessible=True)


FAULT = meddled(
    "database-public",
    "the database server is publicly accessible",
    "Database Issues",
    _open,
    per_tenant=False,
    restarts=False,
)
