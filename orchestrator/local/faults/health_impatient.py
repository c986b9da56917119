"""Two failures in a row, ten seconds apart, are enough."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_target_group, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_target_group(
        console, HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=5, UnhealthyThresholdCount=2
    )


FAULT = meddled(
    "health-impatient", "the health check gives up after 20 s", "Health Check Failures", _change, restarts=False
)
