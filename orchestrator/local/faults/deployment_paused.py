"""A blue/green deployment waits at a pause hook for somebody to say ContinueServiceDeployment."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.native_strategies import deploy_by

HOOK = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}


def _change(console: Console) -> Iterator[Undo]:
    yield from deploy_by(console, {"strategy": "BLUE_GREEN", "lifecycleHooks": [HOOK]})


FAULT = meddled("deployment-paused", "a blue/green deployment waits at a pause hook", "", _change, restarts=False)
