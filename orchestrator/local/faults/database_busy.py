"""The database server's CPU is used up."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.measurements import rds_metric


def _starve(console: Console) -> Iterator[Undo]:
    yield from rds_metric(console, "CPUUtilization", 98.0)


FAULT = meddled(
    "database-busy",
    "the database server's CPU is at 98 %",
    "Database Issues",
    _starve,
    per_tenant=False,
    restarts=False,
)
