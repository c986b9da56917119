"""A blue/green deployment is under way, and bakes for an hour: nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.native_strategies import deploy_by


def _change(console: Console) -> Iterator[Undo]:
    yield from deploy_by(console, {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 60})


FAULT = meddled("blue-green-under-way", "a blue/green deployment bakes for an hour", "", _change, restarts=False)
