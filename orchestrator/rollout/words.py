"""What a service that is not up yet is said to be doing, and what to do should it never be. Pure."""

from __future__ import annotations

from collections import Counter

from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.engine.step import tenant_of
from orchestrator.errors import counted
from orchestrator.rollout import stages, timeline
from orchestrator.rollout.diagnosis import classify
from orchestrator.rollout.progress import Rollout


def doing(rollout: Rollout, counts: str, check: HealthCheck | None = None) -> str:
    """What is waited for; `check` is how its targets are checked, where that is known."""
    parts = [counts]
    starting = Counter(task.status.lower() for task in rollout.alive if task.status != "RUNNING")
    parts += [f"{count} {state}" for state, count in sorted(starting.items())]
    for state, count in sorted(rollout.targets.states.items()):
        parts.append(f"{counted(count, 'target')} {state}{_unhealthy(rollout, check) if state == 'unhealthy' else ''}")
    if rollout.steady and not rollout.targets.states:
        parts.append("no target registered")
    if rollout.revision:
        parts.append(f"migrated to {rollout.revision}")
    if rollout.service and len(rollout.service.deployments) > 1:
        parts.append(f"the old {_kind(rollout)} drains")
    if rollout.failures:
        parts.append(f"{counted(len(rollout.failures), 'task')} failed, last: {classify(rollout.failures[0]).code}")
    if _unplaced(rollout):
        parts.append("ECS can't place a task")
    if early_success(rollout):
        parts.append("ECS calls it a success before all its tasks are there")
    if rollout.record is not None:
        parts += stages.doing(rollout.record)
    return ", ".join(parts)


def _unhealthy(rollout: Rollout, check: HealthCheck | None) -> str:
    """Where they are asked, and what came of it."""
    at = f" at {check.path}" if check else ""
    return f"{at} ({'; '.join(rollout.targets.explained)})" if rollout.targets.explained else at


def identity(rollout: Rollout) -> str:
    """Which deployment it is that was seen, and what of the service was not judged."""
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None:
        return ""
    others = len(service.deployments) - 1
    held = f"; {service.controller} has {others} more, which are not judged" if others else ""
    return f"{_kind(rollout)} {primary.id}{held}"


def _kind(rollout: Rollout) -> str:
    return "deployment" if rollout.service is None or rollout.service.deploys_itself else "task set"


def _unplaced(rollout: Rollout) -> str:
    """What ECS says when there is no room for a task: it makes none then, and tries again by itself."""
    service, primary = rollout.service, rollout.primary
    return timeline.unplaced(service, primary) if service and primary else ""


def early_success(rollout: Rollout) -> bool:
    """Whether ECS completed the deployment before its tasks were there, as the service allows: it is not up yet."""
    service, primary = rollout.service, rollout.primary
    done = primary is not None and primary.rollout_state == "COMPLETED"
    return service is not None and service.early and done and service.running < service.desired


def should_it_never(rollout: Rollout, tenant: str = "") -> tuple[str, str]:
    """The code and the fix, should the deadline pass now."""
    service, targets, record = rollout.service, rollout.targets, rollout.record
    if record is not None and record.hook is not None:
        return (
            "deployment-paused",
            f"orchestrate continue {tenant_of(tenant)}: answers the pause hook, so that ECS continues",
        )
    if _unplaced(rollout):
        return "no-capacity", "add subnets in other availability zones to the service, or make the task smaller"
    if rollout.failures:
        cause = classify(rollout.failures[0])
        return cause.code, cause.fix
    if targets.states.get("unhealthy"):
        return "target-unhealthy", f"check the health path and the application's log ({', '.join(targets.reasons)})"
    if rollout.steady and not targets.states:
        fix = "its tasks run but are in no target group: check the service's load_balancer block and its events"
        return "target-not-registered", fix
    if service is not None and stages.is_native(service):
        fix = f"its strategy is {service.strategy}: a stage, a hook or the bake time may hold it"
        return (
            "deployment-held",
            f"{fix}; `orchestrate status` says which; a pause hook: orchestrate continue {tenant_of(tenant)}",
        )
    return "service-not-running", "look at the service's events and its tasks"
