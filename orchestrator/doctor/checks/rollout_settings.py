"""How services roll out: one migrator at a time, a breaker without rollback to an older schema, pinned images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.aws.clusters import options
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist.facts import NOT_ONYX, runs_another, service_settings, task_definition
from orchestrator.checklist.index_instances import each_kind, script_of
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
    not_judged,
)
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.errors import counted
from orchestrator.index import AnyIndex, provider
from orchestrator.rollout.diagnosis import classify
from orchestrator.rollout.progress import Rollout
from orchestrator.stack.applications import is_another
from orchestrator.stack.blueprint.resources import Resource
from orchestrator.stack.indexes import OPENSEARCH, VESPA


@dataclass(frozen=True, slots=True)
class RolloutSettingsCheckFacts:
    """By tenant."""

    services: Mapping[str, ServiceSettings]
    definitions: Mapping[str, TaskDefinition]
    rollouts: Mapping[str, Rollout]
    cluster: str


def gather(scene: Scene) -> RolloutSettingsCheckFacts:
    """Nothing but what is shared."""
    asked = {tenant: one for tenant, one in scene.settings().items() if tenant not in scene.spared()}
    return RolloutSettingsCheckFacts(asked, scene.definitions(), scene.rollouts(), scene.stack.cluster)


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
        symptom=f"a failed rollout of {service.name} rolls back to the older version automatically",
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
            symptom="the next task may run another version than this one",
            cause="images without a fixed tag"
            + ("" if another else ": each major version of Onyx needs another search index"),
            fix="pin each image to a fixed tag (the version that runs now) in the task definition; terraform apply",
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
        cause="each task migrates when it starts, and nothing stops two from doing so at once",
        fix=f"aws ecs update-service {options(service.name, cluster)} --desired-count 1; once it runs, "
        f"--desired-count {service.desired}",
        evidence=(
            f"desiredCount {service.desired}",
            f"{counted(len(rollout.failures), 'task')} of the rollout failed"
            if rollout.failures
            else f"migrated to {rollout.revision}",
        ),
        explains=frozenset({"task-container-exited", "task-migrations-collided", "task-target-unhealthy"}),
    )


_BREAKER_HCL = "deployment_circuit_breaker {\n  enable   = true\n  rollback = false\n}"


def planned_breaker(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """Off, or on with a rollback; ECS refuses it beside a controller of deployments that isn't its own."""
    controller = unit.service.text("deployment_controller", 0, "type") or "ECS"
    if controller != "ECS":
        raise NotConcerned(f"{controller} makes its deployments, and ECS has no circuit breaker for them")
    service = service_settings(unit.service, evidence)
    if not service.breaker:
        yield Remark(
            status=Status.FAILED,
            code="circuit-breaker-off",
            severity=Severity.WARNING,
            subject=unit.tenant,
            says="a rollout that can't succeed is retried forever",
            why="without the circuit breaker, ECS never marks a rollout as failed",
            address=unit.service.address,
            current="deployment_circuit_breaker: off",
            wanted="on, without rollback",
            hcl=_BREAKER_HCL,
        )
    if runs_another(unit.definition):
        yield not_judged(
            f"whether it may roll back to its older version: {NOT_ONYX}",
            subject=unit.tenant,
            address=unit.service.address,
        )
        return
    for found in judge(RolloutSettingsCheckFacts({unit.tenant: service}, {}, {}, "")):
        yield from_finding(
            found, address=unit.service.address, current=found.evidence[0], wanted="rollback = false", hcl=_BREAKER_HCL
        )


_PINNED = {VESPA: "8.609.39", OPENSEARCH: "3.6.0"}
"""Tags of the indexes' images that Onyx is tested with."""


def planned_images(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """The containers' images, and those of its indexes in their instances' user_data."""
    with suppress(NotConcerned, NotKnown):
        for kind, instance in each_kind(unit, evidence):
            yield from _planned_index(unit, instance, provider(kind), evidence)
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = task_definition(unit.definition)
    services = {unit.tenant: service_settings(unit.service, evidence)}
    for found in judge(RolloutSettingsCheckFacts(services, {unit.tenant: definition}, {}, "")):
        if found.code == "image-not-pinned":
            hosts = definition.variables().keys() & {"OPENSEARCH_HOST", "VESPA_HOST"}
            line = ("4.x", "v4.6.1") if hosts == {"OPENSEARCH_HOST"} else ("2.x", "v2.0.0")
            images = [one.partition(": ")[2].rsplit("@", 1)[0] for one in found.evidence]
            yield from_finding(
                found,
                address=unit.definition.address,
                current=", ".join(found.evidence),
                wanted=f"a fixed {line[0]} tag",
                hcl="\n".join(f'image = "{one.removesuffix(":latest")}:{line[1]}"' for one in images),
            )


def _planned_index(unit: TenantService, instance: Resource, index: AnyIndex, evidence: Evidence) -> Iterable[Remark]:
    met = re.search(rf"{index.image}(?P<tag>:[\w.-]+)?", script_of(instance, evidence) or "")
    if met and (met["tag"] or ":latest") == ":latest":
        yield Remark(
            status=Status.FAILED,
            code="image-not-pinned",
            severity=Severity.WARNING,
            subject=unit.tenant,
            says=f"a new instance may run another version of {index.title}, which can't read this one's index",
            why=f"{index.title}'s image has no fixed tag",
            address=instance.address,
            current=met[0],
            wanted=f"a fixed {_PINNED[index.name][0]}.x tag",
            hcl=f"{index.image}:{_PINNED[index.name]} # in user_data",
        )


CHECK: Check[Scene, RolloutSettingsCheckFacts] = Check(
    id="rollout-settings",
    title="Services roll out safely",
    gather=gather,
    judge=judge,
    guide_section="Prevention Checklist",
)
POINTS = (
    Item(
        id="circuit-breaker",
        title="A hopeless rollout is reported, and never rolled back",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_breaker, "the breaker is on, rollback off"),
        about="ECS's circuit breaker, without a rollback: older code must never run on a newer schema.",
    ),
    Item(
        id="image-pinned",
        title="Images have fixed tags",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_images, "every image has a fixed tag"),
        about="`latest` changes from day to day, and each major version of Onyx needs another search index.",
    ),
)
