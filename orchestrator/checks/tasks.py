"""Tasks that stopped although nobody asked them to, each with the cause that its last words give away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.diagnosis import Cause, Cure, Failure, classify
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.rollouts import AUTOPSIES, Rollout
from orchestrator.scene import Scene


@dataclass(frozen=True, slots=True)
class Facts:
    """Per tenant its rollout and the service's name."""

    rollouts: Mapping[str, Rollout]
    services: Mapping[str, str]
    cluster: str


def gather(scene: Scene) -> Facts:
    """Services, and the tasks and logs of those that are not steady."""
    services = {name: tenant.service for name, tenant in scene.stack.tenants.items()}
    return Facts(scene.rollouts(), services, scene.stack.cluster)


def judge(facts: Facts) -> Iterable[Finding]:
    """One finding a tenant and cause: the newest failures count."""
    for tenant, rollout in facts.rollouts.items():
        causes: dict[str, tuple[Cause, Failure]] = {}
        for failure in rollout.failures[:AUTOPSIES]:
            cause = classify(failure)
            causes.setdefault(cause.code, (cause, failure))
        for cause, failure in causes.values():
            yield _finding(tenant, rollout, cause, failure, facts)


def _finding(tenant: str, rollout: Rollout, cause: Cause, failure: Failure, facts: Facts) -> Finding:
    service = rollout.service
    lacking = service is None or service.running < service.desired or not rollout.targets.healthy or _over(rollout)
    return Finding(
        code=f"task-{cause.code}",
        severity=Severity.BLOCKER if lacking and cause.cure is not Cure.TIME else Severity.WARNING,
        subject=tenant,
        symptom=f"{len(rollout.failures)} tasks of {facts.services[tenant]} stopped, the last: {cause.message}",
        cause=cause.message,
        fix=_fix(tenant, cause),
        evidence=tuple(filter(None, _evidence(failure, cause))),
        explains=frozenset({"task-target-unhealthy", "task-container-exited"})
        if cause.code == "out-of-memory"
        else frozenset(),
        repair="tenant-databases" if cause.cure is Cure.WORKFLOW and cause.code.startswith("database-") else "",
    )


def _over(rollout: Rollout) -> bool:
    return rollout.primary is not None and rollout.primary.rollout_state == "FAILED"


def _fix(tenant: str, cause: Cause) -> str:
    if cause.cure is Cure.WORKFLOW:
        return f"orchestrate run --tenant {tenant}: {cause.fix}"
    return cause.fix


def _evidence(failure: Failure, cause: Cause) -> Iterable[str]:
    task = failure.task
    yield f"task {task.id}: {task.stop_code} {task.stopped_reason}".strip()[:300]
    for one in task.containers:
        if one.exit_code or one.reason:
            yield f"container {one.name}: exit {one.exit_code} {one.reason}".strip()[:300]
    if cause.evidence and cause.evidence != task.stopped_reason[:300]:
        yield cause.evidence


CHECK: Check[Scene, Facts] = Check(
    id="tasks",
    title="No task stopped by itself",
    gather=gather,
    judge=judge,
    guide_section="ECS Task Troubleshooting",
)
