"""The health check waits for a status that nothing answers."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_target_group, meddled


def _change(console: Console) -> Iterator[Undo]:
    yield from change_target_group(console, Matcher={"HttpCode": "204"})


FAULT = meddled("health-matcher", "the health check accepts only 204", "Health Check Failures", _change)
