"""Whether tasks and database server are large enough: the guide's sizing table, and its least class for migrations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.task_definition import ContainerDefinition, TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.applications import is_another

LEAST = {"api": 512, "background": 512, "web": 256}
"""MB a container, the guide's minimum."""
TASK_MEMORY, TASK_CPU = 2048, 1024
"""The guide's checklist: 2 GB and 1 vCPU."""
TOO_SMALL = ("nano", "micro")
"""Sizes of RDS classes below db.t4g.small (2 vCPU, 2 GB)."""


@dataclass(frozen=True, slots=True)
class SizingCheckFacts:
    """Task definitions by tenant; the database server and its class."""

    definitions: Mapping[str, TaskDefinition]
    server: str
    size: str


def gather(scene: Scene) -> SizingCheckFacts:
    """Nothing but what is shared."""
    return SizingCheckFacts(scene.definitions(), scene.server().machine, scene.server().size)


def judge(facts: SizingCheckFacts) -> Iterable[Finding]:
    """Too small is a warning: it works until it doesn't. What is too small for Onyx may be enough for others."""
    onyx = {tenant: it for tenant, it in facts.definitions.items() if not is_another([c.image for c in it.containers])}
    if facts.size.rsplit(".", 1)[-1] in TOO_SMALL and (onyx or not facts.definitions):
        yield _server(facts)
    for tenant, definition in onyx.items():
        small = [one for one in definition.containers if _below(one)]
        if small:
            yield _containers(tenant, small)
        elif 0 < definition.memory < TASK_MEMORY or 0 < definition.cpu < TASK_CPU:
            yield _task(tenant, definition)


def _below(container: ContainerDefinition) -> bool:
    least = LEAST.get(container.name)
    return least is not None and container.memory is not None and container.memory < least


def _server(facts: SizingCheckFacts) -> Finding:
    return Finding(
        code="database-server-small",
        severity=Severity.WARNING,
        symptom="migrations take 10 minutes and more, or fail",
        cause=f"{facts.server} is a {facts.size}: too small for 270 migrations",
        fix='instance_class = "db.t4g.small" in aws_db_instance (a micro will do again afterwards); terraform apply',
        evidence=(f"DBInstanceClass {facts.size}",),
        explains=frozenset({"task-killed-while-migrating"}),
    )


def _containers(tenant: str, small: list[ContainerDefinition]) -> Finding:
    wanted = ", ".join(f"{one.name} {LEAST[one.name]} MB" for one in small)
    return Finding(
        code="container-memory-small",
        severity=Severity.WARNING,
        subject=tenant,
        symptom="containers have less memory than Onyx needs",
        cause=f"the guide's minimum is {wanted}",
        fix="; ".join(f"{one.name}: memory = {max(768, 2 * LEAST[one.name])}" for one in small)
        + " in the task definition's container_definitions; terraform apply",
        evidence=tuple(f"{one.name}: memory {one.memory} MB" for one in small),
        explains=frozenset({"task-out-of-memory", "task-target-unhealthy"}),
    )


def _task(tenant: str, definition: TaskDefinition) -> Finding:
    return Finding(
        code="task-small",
        severity=Severity.WARNING,
        subject=tenant,
        symptom="the task is smaller than Onyx needs",
        cause="the guide asks for 2 GB and 1 vCPU at least (3 GB with nginx's container)",
        fix='cpu = "1024", memory = "3072" in aws_ecs_task_definition; terraform apply',
        evidence=(f"memory {definition.memory} MB", f"cpu {definition.cpu}"),
        explains=frozenset({"task-out-of-memory", "task-killed-while-migrating"}),
    )


CHECK: Check[Scene, SizingCheckFacts] = Check(
    id="sizing",
    title="Tasks and database server are large enough",
    gather=gather,
    judge=judge,
    guide_section="Resource Sizing Issues",
)
