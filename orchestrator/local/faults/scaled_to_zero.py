"""The service's desired count is 0."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_service(console, desiredCount=0)


FAULT = meddled("scaled-to-zero", "the desired count is 0", "Troubleshooting Flowchart", _change, restarts=False)
