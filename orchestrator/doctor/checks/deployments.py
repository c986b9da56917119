"""Deployments that wait for somebody, can never begin, or bring tasks that no visitor reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.aws.autoscaling import DIMENSION, Scaling
from orchestrator.aws.clusters import options, whole
from orchestrator.aws.ecs import Service
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import tenant_of
from orchestrator.rollout import limits, stages
from orchestrator.rollout.progress import Rollout
from orchestrator.rollout.timeline import unchanged_since
from orchestrator.rollout.verdict import UNREGISTERED
from orchestrator.site import answers

_SITE = answers.CODES | {"targets-unhealthy", "target-group-unused"}
"""What a load balancer without a target brings about."""


@dataclass(frozen=True, slots=True)
class DeploymentsCheckFacts:
    """By tenant. `scalings` are those of services at 0 alone."""

    rollouts: Mapping[str, Rollout]
    groups: Mapping[str, str]
    """The target group that the tenant's name leads to."""
    cluster: str
    now: datetime
    definitions: Mapping[str, TaskDefinition] = field(default_factory=dict)
    scalings: Mapping[str, Scaling] = field(default_factory=dict)


def gather(scene: Scene) -> DeploymentsCheckFacts:
    """What is shared; and the autoscaling of services at 0."""
    groups = {name: tenant.target_group_arn for name, tenant in scene.stack.tenants.items()}
    return DeploymentsCheckFacts(
        scene.rollouts(), groups, scene.stack.cluster, scene.now, scene.definitions(), scene.scalings_at_zero()
    )


def judge(facts: DeploymentsCheckFacts) -> Iterable[Finding]:
    """A deployment that goes through its stages, or bakes, is no finding."""
    for tenant, rollout in facts.rollouts.items():
        service = rollout.service
        if service is None or rollout.primary is None:
            continue
        definition = facts.definitions.get(tenant)
        if definition is not None and not definition.active:
            yield _inactive(tenant, service, definition)
        if service.desired == 0:
            yield from _kept_at_zero(tenant, service, facts)
            continue
        yield from _waits(tenant, service, rollout)
        if limits.cannot_begin(service):
            yield _cannot_begin(tenant, service, facts.cluster)
        yield from _unreached(tenant, service, rollout, facts)


def _waits(tenant: str, service: Service, rollout: Rollout) -> Iterator[Finding]:
    record = rollout.record
    if record is not None and record.hook is not None:
        yield Finding(
            code="deployment-paused",
            severity=Severity.WARNING,
            subject=tenant,
            symptom=f"the new deployment of {service.name} waits for somebody to continue it",
            cause=f"its pause hook at {record.stage} {stages.waits(record)}",
            fix=f"orchestrate continue {tenant_of(tenant)}",
            evidence=tuple(stages.doing(record)),
        )


def _cannot_begin(tenant: str, service: Service, cluster: str) -> Finding:
    return Finding(
        code="deployment-cannot-begin",
        severity=Severity.WARNING,
        subject=tenant,
        symptom=f"the new deployment of {service.name} cannot start a task",
        cause=limits.why(service),
        fix=f"{limits.remedy(service, cluster)} (and in Terraform: {limits.IN_TERRAFORM})",
        evidence=(limits.said(service), *(event.text for event in service.happened[:1])),
    )


def _kept_at_zero(tenant: str, service: Service, facts: DeploymentsCheckFacts) -> Iterator[Finding]:
    scaling = facts.scalings.get(tenant)
    if scaling is None or scaling.maximum > 0:
        return
    resource = f"service/{whole(service.name, facts.cluster)}"
    yield Finding(
        code="autoscaling-at-zero",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"{service.name} runs no tasks, and autoscaling would keep it so",
        cause="the maximum of its autoscaling is 0",
        fix=f"aws application-autoscaling register-scalable-target --service-namespace ecs --resource-id {resource} "
        f"--scalable-dimension {DIMENSION} --min-capacity 1 --max-capacity 1; "
        f"aws ecs update-service {options(service.name, facts.cluster)} --desired-count 1 "
        "(and in Terraform: max_capacity of aws_appautoscaling_target)",
        evidence=(f"MinCapacity {scaling.minimum}, MaxCapacity {scaling.maximum}", "desiredCount 0"),
        explains=answers.CODES | {"desired-count-zero"},
        at_rest=True,
    )


def _unreached(tenant: str, service: Service, rollout: Rollout, facts: DeploymentsCheckFacts) -> Iterator[Finding]:
    """Tasks that run, of which the load balancer knows nothing."""
    known, group = service.target_groups, facts.groups.get(tenant, "")
    reached = set(rollout.targets.states) & {"healthy", "initial", "unhealthy"}
    if not group or rollout.primary is None or not rollout.steady or reached or rollout.spared:
        return
    if known is not None and group not in known:
        yield Finding(
            code="target-group-not-attached",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"the load balancer sends nothing to {service.name}",
            cause="the service does not name the tenant's target group",
            fix="name it in the load_balancer block of aws_ecs_service; terraform apply",
            evidence=(f"the service names {', '.join(known) or 'none'}", f"the tenant's target group is {group}"),
            explains=_SITE,
        )
    elif (facts.now - unchanged_since(service, rollout.primary)).total_seconds() >= UNREGISTERED:
        yield Finding(
            code="target-not-registered",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"the load balancer sends nothing to {service.name}",
            cause="its tasks are running, but were deregistered from their target group: ECS registers only new tasks",
            fix=f"orchestrate redeploy {tenant_of(tenant)}",
            evidence=(f"runningCount {service.running}", f"targets in {group}: none"),
            explains=_SITE,
        )


def _inactive(tenant: str, service: Service, definition: TaskDefinition) -> Finding:
    return Finding(
        code="task-definition-inactive",
        severity=Severity.WARNING,
        subject=tenant,
        symptom=f"the next deployment of {service.name} will be refused",
        cause="its task definition was deregistered: running tasks continue, but ECS refuses a new deployment with it",
        fix="terraform apply (registers the definition again and deploys it)",
        evidence=(f"{definition.arn}: INACTIVE",),
    )


CHECK: Check[Scene, DeploymentsCheckFacts] = Check(
    id="deployments",
    title="Deployments can start, make progress, and receive traffic",
    gather=gather,
    judge=judge,
)
