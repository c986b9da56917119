"""The service has no target group any more: its new tasks are registered nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_service(console, loadBalancers=[])


FAULT = meddled("target-group-detached", "the service names no target group", "", _change, restarts=False)
