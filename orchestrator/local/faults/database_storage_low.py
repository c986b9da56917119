"""The database server's disk is nearly full."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.measurements import rds_metric


def _starve(console: Console) -> Iterator[Undo]:
    yield from rds_metric(console, "FreeStorageSpace", 0.5 * 2**30)


FAULT = meddled(
    "database-storage-low",
    "the database server has 0.5 GiB of free storage",
    "Database Issues",
    _starve,
    per_tenant=False,
    restarts=False,
)
