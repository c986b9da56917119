"""The database server has no memory left."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.measurements import rds_metric


def _starve(console: Console) -> Iterator[Undo]:
    yield from rds_metric(console, "FreeableMemory", 48.0 * 2**20)


FAULT = meddled(
    "database-memory-low",
    "the database server has 48 MiB of free memory",
    "Database Issues",
    _starve,
    per_tenant=False,
    restarts=False,
)
