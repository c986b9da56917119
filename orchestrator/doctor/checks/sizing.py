"""The size of tasks and database server: the guide's sizing table, and its smallest class for migrations.

The guide's table is for Onyx 2. From Onyx 3 on an idle api takes 1.1 GB, and background is eight workers, a scheduler
and two bots (source: the limits and requests of Onyx's own compose file and Helm chart, v4.6.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from orchestrator.aws.task_definition import ContainerDefinition, TaskDefinition
from orchestrator.checklist.facts import NOT_ONYX, known, onyx, runs_another, task_size
from orchestrator.checklist.lines import each_tenant, of_one
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    TenantService,
    from_finding,
)
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import Done
from orchestrator.stack.applications import is_another, major_of
from orchestrator.stack.blueprint.resources import Resource

LEAST = {"api": 512, "background": 512, "web": 256}
"""MB a container, the guide's minimum."""
MOST_OF_ONE_CPU = 8192
"""MB that Fargate allows with 1 vCPU."""
LEAST_SINCE_3 = {"api": 2048, "background": 6144, "web": 256}
"""MB a container, from Onyx 3 on."""
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
    ours = {tenant: it for tenant, it in facts.definitions.items() if not is_another([c.image for c in it.containers])}
    if facts.size.rsplit(".", 1)[-1] in TOO_SMALL and (ours or not facts.definitions):
        yield _server(facts)
    for tenant, definition in ours.items():
        small = [one for one in definition.containers if _below(one, least_of(definition))]
        if small:
            yield _containers(tenant, small, definition)
        elif 0 < definition.memory < _task_memory(definition) or 0 < definition.cpu < TASK_CPU:
            yield _task(tenant, definition)


def _major(definition: TaskDefinition) -> int:
    """Onyx's; 2 where no tag says it."""
    return major_of([one.image for one in definition.containers]) or 2


def least_of(definition: TaskDefinition) -> Mapping[str, int]:
    """What its version needs, by container."""
    return LEAST if _major(definition) < 3 else LEAST_SINCE_3


def _task_memory(definition: TaskDefinition) -> int:
    least = least_of(definition)
    return max(TASK_MEMORY, sum(least.get(one.name, 0) for one in definition.containers))


def _below(container: ContainerDefinition, needed: Mapping[str, int]) -> bool:
    least = needed.get(container.name)
    return least is not None and container.memory is not None and container.memory < least


def _server(facts: SizingCheckFacts) -> Finding:
    return Finding(
        code="database-server-small",
        severity=Severity.WARNING,
        symptom="migrations take 10 minutes or more, or fail",
        cause=f"{facts.server} is a {facts.size}: too small for 270 migrations",
        fix='instance_class = "db.t4g.small" in aws_db_instance (a micro is enough again afterwards); terraform apply',
        evidence=(f"DBInstanceClass {facts.size}",),
        explains=frozenset({"task-killed-while-migrating"}),
    )


def _containers(tenant: str, small: list[ContainerDefinition], definition: TaskDefinition) -> Finding:
    least, major = least_of(definition), _major(definition)
    wanted = ", ".join(f"{one.name} {least[one.name]} MB" for one in small)
    whose = "the guide's minimum" if least is LEAST else f"the minimum of Onyx {major}"
    return Finding(
        code="container-memory-small",
        severity=Severity.WARNING,
        subject=tenant,
        symptom="containers have less memory than Onyx needs",
        cause=f"{whose} is {wanted}",
        fix="; ".join(f"{one.name}: memory = {_good(least[one.name])}" for one in small)
        + " in the task definition's container_definitions; terraform apply",
        evidence=tuple(f"{one.name}: memory {one.memory} MB" for one in small),
        explains=frozenset({"task-out-of-memory", "task-target-unhealthy"}),
    )


def _good(least: int) -> int:
    """MB that leave some room."""
    return max(768, 2 * least) if least < LEAST_SINCE_3["api"] else least


def _task(tenant: str, definition: TaskDefinition) -> Finding:
    needed = _task_memory(definition)
    asks = "the guide asks for 2 GB and 1 vCPU at least (3 GB with nginx's container)"
    needs = f"the containers of Onyx {_major(definition)} need {needed} MB, and nginx 128"
    memory = 3072 if needed == TASK_MEMORY else -(-(needed + 128) // 1024) * 1024
    cpu = 1024 if memory <= MOST_OF_ONE_CPU else 2048
    return Finding(
        code="task-small",
        severity=Severity.WARNING,
        subject=tenant,
        symptom="the task is smaller than Onyx needs",
        cause=asks if needed == TASK_MEMORY else needs,
        fix=f'cpu = "{cpu}", memory = "{memory}" in aws_ecs_task_definition; terraform apply',
        evidence=(f"memory {definition.memory} MB", f"cpu {definition.cpu}"),
        explains=frozenset({"task-out-of-memory", "task-killed-while-migrating"}),
    )


def planned_task(unit: TenantService, _evidence: Evidence) -> Iterable[Remark]:
    """CPU and memory are known in a plan, the containers are not."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    if runs_another(unit.definition):
        raise NotConcerned(NOT_ONYX)
    size = task_size(unit.definition)
    for found in judge(SizingCheckFacts({unit.tenant: size}, "", "")):
        yield from_finding(
            found,
            address=unit.definition.address,
            current=f"cpu {size.cpu}, memory {size.memory}",
            wanted=f"cpu {TASK_CPU}, memory {TASK_MEMORY} at least (3072 with nginx)",
            hcl='cpu    = "1024"\nmemory = "3072"',
        )


def planned_containers(unit: TenantService, _evidence: Evidence) -> Iterable[Remark]:
    """Containers without a limit of their own share the task's."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = onyx(unit.definition)
    for found in judge(SizingCheckFacts({unit.tenant: definition}, "", "")):
        if found.code == "container-memory-small":
            least = least_of(definition)
            small = [one.name for one in definition.containers if (one.memory or 0) < least.get(one.name, 0)]
            yield from_finding(
                found,
                address=unit.definition.address,
                current=", ".join(found.evidence),
                wanted=", ".join(f"{name} {least[name]} MB at least" for name in small),
                hcl="\n".join(f"{name}: memory = {_good(least[name])}" for name in small),
            )


SMALLEST = "db.t4g.small"


def planned_servers(evidence: Evidence) -> Iterator[Remark]:
    """Each server by itself."""
    for server in evidence.blueprint.of_type("aws_db_instance", "aws_rds_cluster_instance"):
        judged, good = partial(_planned_server, server, evidence), f"at least {SMALLEST}"
        yield from of_one(judged, good, "", server.address, planned=evidence.planned)


def _planned_server(server: Resource, evidence: Evidence) -> Iterable[Remark]:
    size = str(known(server, "instance_class") or "")
    severity = Severity.BLOCKER if before_migrations(server, evidence) else Severity.WARNING
    for found in judge(SizingCheckFacts({}, server.text("identifier") or server.address, size)):
        yield from_finding(
            found,
            address=server.address,
            current=size,
            wanted=f"{SMALLEST} or larger",
            hcl=f'instance_class = "{SMALLEST}"',
            severity=severity,
        )


def before_migrations(server: Resource, evidence: Evidence) -> bool:
    """The server is new, or a tenant's database is not there yet."""
    verdicts = evidence.live.verdicts.get("tenant-databases", {}) if evidence.live else {}
    return server.new or any(not isinstance(one, Done) for one in verdicts.values())


CHECK: Check[Scene, SizingCheckFacts] = Check(
    id="sizing",
    title="Tasks and database server are large enough",
    gather=gather,
    judge=judge,
    guide_section="Resource Sizing Issues",
)
POINTS = (
    Item(
        id="task-size",
        title="Tasks have 2 GB of memory and 1 vCPU at least",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_task, "2 GB and 1 vCPU at least"),
        lines=("ECS task has minimum 2GB memory, 1 vCPU",),
        about="The task's own size, which all of its containers share.",
    ),
    Item(
        id="container-memory",
        title="Each container has the memory that the guide's table asks for",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_containers, "each container has its share"),
        lines=("ECS task has minimum 2GB memory, 1 vCPU",),
        about="The guide's table of containers: api and background 512 MB, web 256 MB at least; "
        "from Onyx 3 on 2 GB for api and 6 GB for background.",
    ),
    Item(
        id="database-class",
        title="The database server is large enough for the migrations",
        occasion=Checklist.DEPLOY,
        judge=planned_servers,
        lines=("RDS instance is at least `db.t4g.small` for initial migration",),
        about="The database server's class: below db.t4g.small the first migrations run out of memory; later it "
        "is only slow.",
    ),
)
