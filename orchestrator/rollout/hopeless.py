"""Deployments that had better be stopped: each of their tasks fails, and older ones run. Pure."""

from __future__ import annotations

from orchestrator.rollout.causes import Cause, RepairedBy
from orchestrator.rollout.diagnosis import classify
from orchestrator.rollout.progress import Rollout

TWICE = 2


def cause(rollout: Rollout) -> Cause | None:
    """Of what its tasks fail again and again, though nothing outside cures it; None: it is not hopeless.

    Only a deployment beside which older tasks run: to go back to them takes nothing away from anybody.
    """
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None or not service.deploys_itself or primary.rollout_state != "IN_PROGRESS":
        return None
    older = sum(one.running for one in service.deployments if one.id != primary.id)
    if older < service.desired or primary.running or len(rollout.failures) < TWICE:
        return None
    causes = [classify(failure) for failure in rollout.failures[:TWICE]]
    same = len({one.code for one in causes}) == 1
    return causes[0] if same and causes[0].repaired_by is RepairedBy.TASK_DEFINITION else None
