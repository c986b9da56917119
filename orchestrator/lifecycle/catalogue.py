"""Every step that one of the other commands alone has (backup, destroy …): for the reference, and to check names."""

from __future__ import annotations

from orchestrator import steps
from orchestrator.engine.graph import AnyStep
from orchestrator.lifecycle import (
    backup,
    deployments_continued,
    destroy,
    migrated_rollout,
    pause,
    pruned,
    redeploy_forced,
    restore,
    resume,
    rollouts_stopped,
    schema_migrated,
)
from orchestrator.lifecycle.backup import databases_dumped
from orchestrator.lifecycle.upgrade import changed, copied, proven, removed


def own() -> tuple[AnyStep, ...]:
    """In the order they first come in."""
    paused = (*pause.steps(whole=True), *resume.steps(steps.discover()))
    shared = {step.id for step in paused}
    found = (
        *backup.STOPPED,
        databases_dumped.STEP,
        pruned.STEP,
        *destroy.BEFORE,
        *destroy.AFTER,
        *restore.BEFORE,
        *restore.LOADED,
        deployments_continued.STEP,
        redeploy_forced.STEP,
        schema_migrated.STEP,
        migrated_rollout.STEP,
        changed.STEP,
        copied.STEP,
        proven.STEP,
        removed.STEP,
        rollouts_stopped.STEP,
    )
    return tuple({step.id: step for step in found if step.id not in shared}.values())
