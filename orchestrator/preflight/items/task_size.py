"""The task's own size: 2 GB and 1 vCPU at least."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.checklist.facts import NOT_ONYX, is_another, task_size
from orchestrator.checklist.lines import each_tenant
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
from orchestrator.doctor.checks import sizing


def judge(unit: TenantService, _evidence: Evidence) -> Iterable[Remark]:
    """CPU and memory are known in a plan, the containers are not."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    if is_another(unit.definition):
        raise NotConcerned(NOT_ONYX)
    size = task_size(unit.definition)
    for found in sizing.judge(sizing.SizingCheckFacts({unit.tenant: size}, "", "")):
        yield from_finding(
            found,
            address=unit.definition.address,
            current=f"cpu {size.cpu}, memory {size.memory}",
            wanted=f"cpu {sizing.TASK_CPU}, memory {sizing.TASK_MEMORY} at least (3072 with nginx)",
            hcl='cpu    = "1024"\nmemory = "3072"',
        )


ITEM = Item(
    id="task-size",
    title="Tasks have 2 GB of memory and 1 vCPU at least",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "2 GB and 1 vCPU at least"),
    lines=("ECS task has minimum 2GB memory, 1 vCPU",),
)
