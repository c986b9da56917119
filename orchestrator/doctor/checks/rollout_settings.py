"""How services roll out: one migrator at a time, a breaker that never goes back to an older schema, pinned images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.rollout.diagnosis import classify
from orchestrator.rollout.progress import Rollout
from orchestrator.stack.applications import is_another


@dataclass(frozen=True, slots=True)
class RolloutSettingsCheckFacts:
    """By tenant."""

    services: Mapping[str, ServiceSettings]
    definitions: Mapping[str, TaskDefinition]
    rollouts: Mapping[str, Rollout]
    cluster: str


def gather(scene: Scene) -> RolloutSettingsCheckFacts:
    """Nothing but what is shared."""
    return RolloutSettingsCheckFacts(scene.settings(), scene.definitions(), scene.rollouts(), scene.stack.cluster)


def judge(facts: RolloutSettingsCheckFacts) -> Iterable[Finding]:
    """Warnings only: all of it works on a good day."""
    for tenant, service in facts.services.items():
        definition, rollout = facts.definitions.get(tenant), facts.rollouts.get(tenant)
        another = definition is not None and is_another([one.image for one in definition.containers])
        if service.rollback and not another:
            yield _rollback(tenant, service)
        if definition is not None:
            yield from _moving(tenant, definition, another=another)
        if rollout is not None and service.desired > 1 and _migrate_at_once(rollout):
            yield _many(tenant, service, rollout, facts.cluster)


def _rollback(tenant: str, service: ServiceSettings) -> Finding:
    return Finding(
        code="rollback-on",
        severity=Severity.WARNING,
        subject=tenant,
        symptom=f"a failed rollout of {service.name} goes back to the older version by itself",
        cause="tasks migrate the schema when they start; the older code then runs on a newer schema",
        fix="deployment_circuit_breaker { enable = true, rollback = false } in aws_ecs_service; terraform apply",
        evidence=("deploymentCircuitBreaker: rollback true",),
    )


def _moving(tenant: str, definition: TaskDefinition, *, another: bool) -> Iterable[Finding]:
    moving = [one for one in definition.containers if "@sha256:" not in one.image and _tag(one.image) in ("", "latest")]
    if moving:
        yield Finding(
            code="image-not-pinned",
            severity=Severity.WARNING,
            subject=tenant,
            symptom="the next task may be another version than this one",
            cause="images without a fixed tag"
            + ("" if another else ": Onyx 4.0 has no Vespa, and does not run on this stack"),
            fix=f"pin each image to a {'fixed' if another else '2.x'} tag in the task definition; terraform apply",
            evidence=tuple(f"{one.name}: {one.image}" for one in moving),
            explains=frozenset({"task-container-exited", "task-image-pull-failed"}),
        )


def _tag(image: str) -> str:
    return image.rsplit("/", 1)[-1].partition(":")[2]


def _migrate_at_once(rollout: Rollout) -> bool:
    """A task died of another's migrations; or two run that don't serve yet, and the log shows migrations."""
    if any(classify(failure).code == "migrations-collided" for failure in rollout.failures):
        return True
    starting = [task for task in rollout.alive if task.status == "RUNNING"]
    return bool(rollout.revision) and len(starting) > 1 and not rollout.targets.healthy


def _many(tenant: str, service: ServiceSettings, rollout: Rollout, cluster: str) -> Finding:
    return Finding(
        code="several-migrators",
        severity=Severity.WARNING,
        subject=tenant,
        symptom=f"{service.desired} tasks migrate the same schema at the same time",
        cause="each task migrates when it starts, and nothing keeps them apart",
        fix=f"aws ecs update-service --cluster {cluster} --service {service.name} --desired-count 1; once it runs, "
        f"--desired-count {service.desired}",
        evidence=(
            f"desiredCount {service.desired}",
            f"{len(rollout.failures)} tasks of the rollout failed"
            if rollout.failures
            else f"migrated to {rollout.revision}",
        ),
        explains=frozenset({"task-container-exited", "task-migrations-collided", "task-target-unhealthy"}),
    )


CHECK: Check[Scene, RolloutSettingsCheckFacts] = Check(
    id="rollout-settings",
    title="Services roll out safely",
    gather=gather,
    judge=judge,
    guide_section="Prevention Checklist",
)
