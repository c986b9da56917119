"""The database server was stopped, to save money."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from orchestrator.local.faults.manual_changes import Console, Undo, meddled, settled


def _stop(console: Console) -> Iterator[Undo]:
    rds = console.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        rds.stop_db_instance(DBInstanceIdentifier=one["DBInstanceIdentifier"])
        yield partial(_start, rds, one["DBInstanceIdentifier"])


def _start(rds: Any, name: str) -> None:
    if settled(rds, name) == "stopped":  # else somebody has started it
        rds.start_db_instance(DBInstanceIdentifier=name)


FAULT = meddled(
    "database-stopped", "the database server is stopped", "Database Issues", _stop, per_tenant=False, restarts=False
)
