"""The database server has a public address."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _open(console: Console) -> Iterator[Undo]:
    rds = console.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        change = partial(rds.modify_db_instance, DBInstanceIdentifier=one["DBInstanceIdentifier"])
        change(PubliclyAccessible=True, ApplyImmediately=True)
        yield partial(change, PubliclyAccessible=one["PubliclyAccessible"], ApplyImmediately=True)


FAULT = meddled(
    "database-public",
    "the database server is publicly accessible",
    "Database Issues",
    _open,
    per_tenant=False,
    restarts=False,
)
