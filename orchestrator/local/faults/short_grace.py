"""The grace period is shorter than a first migration."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_service(console, healthCheckGracePeriodSeconds=60)


FAULT = meddled("short-grace", "the grace period is 60 s", "Health Check Failures", _change, restarts=False)
