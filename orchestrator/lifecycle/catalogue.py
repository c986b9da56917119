"""Every step of backup, destroy and restore that the workflow doesn't have: for the reference, and to check names."""

from __future__ import annotations

from orchestrator import steps
from orchestrator.engine.graph import AnyStep
from orchestrator.lifecycle import backup, destroy, pruned, restore


def own() -> tuple[AnyStep, ...]:
    """In the order they first come in."""
    shared = {step.id for step in steps.discover()}
    found = (*backup.STOPPED, pruned.STEP, *destroy.BEFORE, *destroy.AFTER, *restore.DATA, *restore.COUNTS)
    return tuple({step.id: step for step in found if step.id not in shared}.values())
