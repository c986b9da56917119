"""The health check asks a port on which nothing listens."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_target_group, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_target_group(console, HealthCheckPort="3001")


FAULT = meddled("health-port", "the health check uses port 3001", "Health Check Failures", _change)
