"""Tasks that stopped although nobody stopped them, each with the cause that its last log lines show.

Also tasks that never start: there is no capacity for them, or they stay pending.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.aws.clusters import place
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import tenant_of
from orchestrator.errors import counted
from orchestrator.rollout import hopeless, timeline
from orchestrator.rollout.causes import NO_FAILURE
from orchestrator.rollout.diagnosis import Cause, Failure, RepairedBy, classify
from orchestrator.rollout.progress import AUTOPSIES, Rollout

NO_CAPACITY = "task-no-capacity"
_SHORT = frozenset({"service-not-running"})
_KILLED = _SHORT | {"task-target-unhealthy", "task-container-exited", "service-memory-high"}
OFTEN = 3
"""Interruptions of one deployment that are worth a word: fewer are an ordinary day of Spot."""
PENDING_LONG = timedelta(minutes=10)
"""Onyx's images are pulled in one or two minutes."""


@dataclass(frozen=True, slots=True)
class TasksCheckFacts:
    """Per tenant its rollout and the service's name."""

    rollouts: Mapping[str, Rollout]
    services: Mapping[str, str]
    cluster: str
    now: datetime | None = None


def gather(scene: Scene) -> TasksCheckFacts:
    """Services, and the tasks and logs of those that are not steady."""
    services = {name: one.name for name, one in scene.stack.services.items()}
    return TasksCheckFacts(scene.rollouts(), services, scene.stack.cluster, scene.now)


def judge(facts: TasksCheckFacts) -> Iterable[Finding]:
    """One finding a tenant and cause: the newest failures count, unless no task is wanted any more."""
    for tenant, rollout in facts.rollouts.items():
        if rollout.service is not None and rollout.service.desired == 0:
            continue
        causes: dict[str, tuple[Cause, Failure]] = {}
        for failure in rollout.failures[:AUTOPSIES]:
            cause = classify(failure)
            if cause.code not in NO_FAILURE or len(rollout.failures) >= OFTEN:
                causes.setdefault(cause.code, (cause, failure))
        for cause, failure in causes.values():
            yield _finding(tenant, rollout, cause, failure, facts)
        yield from _no_room(tenant, rollout, facts)
        yield from _stuck(tenant, rollout, facts)


def _no_room(tenant: str, rollout: Rollout, facts: TasksCheckFacts) -> Iterable[Finding]:
    """ECS makes no task when it can't place one: only an event says so."""
    service, primary = rollout.service, rollout.primary
    said = timeline.unplaced(service, primary) if service and primary else ""
    if service is not None and said and service.running < service.desired:
        yield Finding(
            code=NO_CAPACITY,
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"there is no capacity for the tasks of {facts.services[tenant]}",
            cause="ECS could not place a task: no capacity in the subnets' availability zones, or none large enough",
            fix="add subnets in other availability zones to the service, or make the task smaller (cpu, memory); "
            "Fargate tries again by itself",
            evidence=(said[:300], f"desiredCount {service.desired}, runningCount {service.running}"),
            explains=_SHORT,
        )


def _stuck(tenant: str, rollout: Rollout, facts: TasksCheckFacts) -> Iterable[Finding]:
    waiting = [task for task in rollout.alive if task.status in ("PROVISIONING", "PENDING") and task.created_at]
    ages = [facts.now - task.created_at for task in waiting if facts.now and task.created_at]
    if not ages or max(ages) < PENDING_LONG:
        return
    task = waiting[ages.index(max(ages))]
    cluster, _ = place(facts.services[tenant], facts.cluster)
    yield Finding(
        code="task-stuck-pending",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"a task of {facts.services[tenant]} has been {task.status} for {max(ages).seconds // 60} minutes",
        cause="it waits for a network interface, a very large image, or a container it depends on",
        fix=f"aws ecs stop-task --cluster {cluster} --task {task.id} (ECS starts another); if that one gets "
        "stuck too, look for free addresses in its subnets and dependsOn in the task definition",
        evidence=(f"task {task.id}: {task.status} since {task.created_at:%Y-%m-%d %H:%M:%S} UTC",),
        explains=_SHORT,
    )


def _finding(tenant: str, rollout: Rollout, cause: Cause, failure: Failure, facts: TasksCheckFacts) -> Finding:
    service, stopped = rollout.service, counted(len(rollout.failures), "task")
    stops = hopeless.cause(rollout) == cause
    served = rollout.spared or rollout.targets.healthy
    lacking = service is None or service.running < service.desired or not served or _over(rollout)
    return Finding(
        code=f"task-{cause.code}",
        severity=Severity.BLOCKER if lacking and cause.repaired_by is not RepairedBy.TIME else Severity.WARNING,
        subject=tenant,
        symptom=f"{stopped} of {facts.services[tenant]} stopped, the last: {cause.message}",
        cause=cause.message,
        fix=_fix(tenant, cause, stops=stops),
        evidence=tuple(filter(None, _evidence(failure, cause))),
        explains=_KILLED if cause.code == "out-of-memory" else _SHORT,
        repair=_repair(cause, stops=stops),
    )


def _over(rollout: Rollout) -> bool:
    return rollout.primary is not None and rollout.primary.rollout_state == "FAILED"


def _repair(cause: Cause, *, stops: bool) -> str:
    if cause.repaired_by is RepairedBy.WORKFLOW and cause.code.startswith("database-"):
        return "tenant-databases"
    return "rollouts-stopped" if stops else ""


def _fix(tenant: str, cause: Cause, *, stops: bool) -> str:
    if stops:
        return (
            f"orchestrate doctor --fix --tenant {tenant_of(tenant)} (goes back from this deployment: older tasks keep "
            f"running); then {cause.fix}"
        )
    if cause.repaired_by is RepairedBy.WORKFLOW:
        return f"orchestrate run --tenant {tenant_of(tenant)}: {cause.fix}"
    return cause.fix


def _evidence(failure: Failure, cause: Cause) -> Iterable[str]:
    task = failure.task
    yield f"task {task.id}: {task.stop_code} {task.stopped_reason}".strip()[:300]
    for one in task.containers:
        if one.exit_code or one.reason:
            yield f"container {one.name}: exit {one.exit_code} {one.reason}".strip()[:300]
    if cause.evidence and cause.evidence != task.stopped_reason[:300]:
        yield cause.evidence


CHECK: Check[Scene, TasksCheckFacts] = Check(
    id="tasks",
    title="No task stopped unexpectedly",
    gather=gather,
    judge=judge,
    guide_section="ECS Task Troubleshooting",
)
