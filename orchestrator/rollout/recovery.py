"""What a service got over: failures that no longer tell how it is. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.engine.step import Subject, tenant_of
from orchestrator.rollout import timeline
from orchestrator.rollout.progress import Rollout


def at_present(subject: Subject, rollout: Rollout, now: datetime) -> Rollout:
    """Without failures that it got over; what ECS says tells that only where a load balancer asks after the tasks."""
    return steady_since(rollout) if tenant_of(subject) == subject else outlived(rollout, now)


def steady_since(rollout: Rollout) -> Rollout:
    """Without failures that it got over: the service was steady after the last of them, and is not because of others.

    So it is while ECS scales a service whose first task had failed to pull its image, an hour ago: out, and in again
    to the task whose target is still `initial`. ECS calls a service steady when it has its tasks and they are healthy
    (Amazon ECS service event messages), so what crashes again and again is not got over in between.
    """
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None or primary.rollout_state == "FAILED":
        return rollout  # what failed for good is not got over, though the service was steady at 0 tasks meanwhile
    good = timeline.steady_at(service, primary)
    decided = (timeline.given_up_at(service, primary, one.task) for one in rollout.failures)
    last = max((at for at in decided if at), default=None)
    return replace(rollout, failures=()) if good and last and last < good else rollout


def outlived(rollout: Rollout, now: datetime) -> Rollout:
    """The same of a worker, which ECS calls steady as soon as its tasks run: they must outlive those that failed.

    These have to be known then: `rollout` is one that was looked into (`examine`).
    """
    lives = [
        (task.stopped_at - task.created_at).total_seconds()
        for task in (failure.task for failure in rollout.failures)
        if task.stopped_at is not None and task.created_at is not None
    ]
    since = [task.started_at for task in rollout.alive if task.status == "RUNNING"]
    ages = [(now - at).total_seconds() for at in since if at is not None]
    if rollout.steady and ages and len(ages) == len(rollout.alive) and min(ages) > max(lives, default=0.0):
        return replace(rollout, failures=())
    return rollout
