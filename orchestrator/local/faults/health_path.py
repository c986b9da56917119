"""The health check asks for a page that nobody has."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_target_group, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_target_group(console, HealthCheckPath="/health")


FAULT = meddled("health-path", "the health check requests /health", "Health Check Failures", _change)
