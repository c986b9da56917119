"""Services that are missing, are scaled to zero, or run fewer tasks than they should and can't recover."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.aws.clusters import options, place
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, from_finding, unknown
from orchestrator.checklist.verdicts import seen_by
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import tenant_of
from orchestrator.rollout import stages
from orchestrator.rollout.causes import NO_FAILURE
from orchestrator.rollout.diagnosis import classify
from orchestrator.rollout.progress import Rollout
from orchestrator.site import answers
from orchestrator.stack.blueprint.resources import UNKNOWN


@dataclass(frozen=True, slots=True)
class ServicesCheckFacts:
    """Per tenant its rollout and the service's name."""

    rollouts: Mapping[str, Rollout]
    services: Mapping[str, str]
    cluster: str


def gather(scene: Scene) -> ServicesCheckFacts:
    """Shared with the check of tasks."""
    services = {name: one.name for name, one in scene.stack.services.items()}
    return ServicesCheckFacts(scene.rollouts(), services, scene.stack.cluster)


def judge(facts: ServicesCheckFacts) -> Iterable[Finding]:
    """A rollout under way, with nothing failed in it, is no finding."""
    for tenant, rollout in facts.rollouts.items():
        name = facts.services[tenant]
        found = _absent(tenant, name, facts.cluster, rollout) or _short(tenant, name, rollout)
        if found:
            yield found
        elif not rollout.failures and rollout.targets.states.get("unhealthy") and not rollout.targets.healthy:
            yield _unhealthy(tenant, name, rollout)


def _absent(tenant: str, name: str, cluster: str, rollout: Rollout) -> Finding | None:
    if rollout.service is None or rollout.primary is None:
        return Finding(
            code="service-missing",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"there is no service {name}",
            cause="it was deleted, or the contract names another cluster, region or account",
            fix="terraform apply; then check `cluster`, `region` and the tenant's `service` in the contract",
            evidence=("cluster {} has no active service {}".format(*place(name, cluster)),),
            explains=answers.CODES,
        )
    if rollout.service.desired == 0:
        fix = f"aws ecs update-service {options(name, cluster)} --desired-count 1"
        return _at_zero(tenant, name, fix, f"desiredCount 0, runningCount {rollout.service.running}")
    return None


def _at_zero(tenant: str, name: str, fix: str, seen: str) -> Finding:
    return Finding(
        code="desired-count-zero",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"{name} runs no tasks",
        cause="its desired count is 0: it was paused, or autoscaling may go down to 0",
        fix=fix,
        evidence=(seen,),
        explains=answers.CODES,
        at_rest=True,
    )


def _short(tenant: str, name: str, rollout: Rollout) -> Finding | None:
    service, primary = rollout.service, rollout.primary
    assert service is not None  # noqa: S101 - _absent has seen to it
    assert primary is not None  # noqa: S101
    over = primary.rollout_state == "FAILED"
    failed = [one for one in rollout.failures if classify(one).code not in NO_FAILURE]
    if not over and not (failed and primary.running < primary.desired):
        return None
    counts = f"desiredCount {service.desired}, runningCount {service.running}, pendingCount {service.pending}"
    why = stages.reason(rollout.record) or primary.rollout_reason
    state = f"deployment {primary.id}: {primary.rollout_state} {why}".strip()
    again = f"orchestrate run --tenant {tenant_of(tenant)}"
    return Finding(
        code="service-not-running",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"{name} can't get its tasks to run",
        cause="its rollout failed, and a failed rollout never retries by itself" if over else "its tasks keep stopping",
        fix=f"repair the cause, then: {again} (it starts a failed rollout again, once, and waits)"
        if over
        else f"repair the cause: ECS starts new tasks by itself; to wait for them: {again}",
        evidence=(counts, state, *(event.text for event in service.happened[:2])),
        consequence=True,
        repair="redeploy" if over else "",
    )


def _unhealthy(tenant: str, name: str, rollout: Rollout) -> Finding:
    states = ", ".join(f"{count} {state}" for state, count in sorted(rollout.targets.states.items()))
    return Finding(
        code="targets-unhealthy",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"the load balancer sends nothing to {name}",
        cause="no target passes the health check",
        fix=f"orchestrate logs --tenant {tenant_of(tenant)} --since 15m; "
        "check the health path and port of the target group",
        evidence=(f"targets: {states}", f"reasons: {', '.join(rollout.targets.reasons) or 'none given'}"),
        consequence=True,
    )


def planned(evidence: Evidence) -> Iterator[Remark]:
    """Before it is applied only that a service wants no tasks at all."""
    for unit in evidence.units:
        desired = unit.service.get("desired_count")
        if desired is not UNKNOWN and desired == 0:
            hcl = "desired_count = 1"
            yield from_finding(
                _at_zero(unit.tenant, unit.service.text("name"), hcl, "desired_count 0"),
                address=unit.service.address,
                current="desired_count 0",
                wanted="1 or more",
                hcl=hcl,
                severity=Severity.WARNING,
            )
        else:
            yield unknown("whether its tasks run can be seen only once it is applied", subject=unit.tenant)


CHECK: Check[Scene, ServicesCheckFacts] = Check(
    id="services",
    title="Every service exists and its tasks run",
    gather=gather,
    judge=judge,
    guide_section="Troubleshooting Flowchart",
)
POINTS = (
    Item(
        id="tasks-running",
        title="Every service's tasks run",
        occasion=Checklist.AFTER,
        judge=seen_by("services", planned),
        lines=("Verify ECS tasks are running: `aws ecs describe-services ...`",),
        about="As many tasks as desired, of the newest deployment.",
    ),
)
