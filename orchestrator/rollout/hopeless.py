"""Deployments to go back from: each of their tasks fails, and older ones run. Pure."""

from __future__ import annotations

from orchestrator.rollout.causes import Cause, RepairedBy
from orchestrator.rollout.diagnosis import classify
from orchestrator.rollout.progress import Rollout

TWICE = 2
FAILED = "FAILED"
"""The `rolloutState` of a deployment that the circuit breaker gave up, and that ECS leaves as it is."""


def cause(rollout: Rollout) -> Cause | None:
    """Of what its tasks fail again and again, though nothing outside cures it; None: it is not hopeless.

    Only a deployment beside which older tasks run: to go back to them takes nothing away from anybody. One that has
    failed already can't be stopped; it counts where it is known what to go back to.
    """
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None or not service.deploys_itself:
        return None
    if primary.rollout_state != "IN_PROGRESS" and not (has_failed(rollout) and served_by(rollout)):
        return None
    older = sum(one.running for one in service.deployments if one.id != primary.id)
    last_ones_end = has_failed(rollout) and not primary.desired  # ECS wants none of them any more
    if older < service.desired or (primary.running and not last_ones_end) or len(rollout.failures) < TWICE:
        return None
    causes = [classify(failure) for failure in rollout.failures[:TWICE]]
    same = len({one.code for one in causes}) == 1
    return causes[0] if same and causes[0].repaired_by is RepairedBy.TASK_DEFINITION else None


def has_failed(rollout: Rollout) -> bool:
    """Whether the circuit breaker gave the deployment up."""
    return rollout.primary is not None and rollout.primary.rollout_state == FAILED


def served_by(rollout: Rollout) -> str:
    """The task definition of the older tasks that run; empty: of more than one, or of the deployment's own."""
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None:
        return ""
    running = {one.task_definition for one in service.deployments if one.id != primary.id and one.running}
    return running.pop() if len(running) == 1 and primary.task_definition not in running else ""
