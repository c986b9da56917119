"""Nobody is let in to PostgreSQL any more."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, close_port, meddled


def _close(console: Console) -> Iterator[Undo]:
    for one in console.client("rds").describe_db_instances()["DBInstances"]:
        groups = [group["VpcSecurityGroupId"] for group in one["VpcSecurityGroups"]]
        yield from close_port(console, groups, one["Endpoint"]["Port"])


FAULT = meddled(
    "database-port-closed", "the database's security group admits nobody", "Database Issues", _close, per_tenant=False
)
