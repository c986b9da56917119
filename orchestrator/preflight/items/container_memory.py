"""The guide's table of containers: api and background 512 MB, web 256 MB at least."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.checklist.facts import onyx
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import Checklist, Evidence, Item, NotKnown, Remark, TenantService, from_finding
from orchestrator.doctor.checks import sizing


def judge(unit: TenantService, _evidence: Evidence) -> Iterable[Remark]:
    """Containers without a limit of their own share the task's."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = onyx(unit.definition)
    for found in sizing.judge(sizing.SizingCheckFacts({unit.tenant: definition}, "", "")):
        if found.code == "container-memory-small":
            small = [one.name for one in definition.containers if (one.memory or 0) < sizing.LEAST.get(one.name, 0)]
            yield from_finding(
                found,
                address=unit.definition.address,
                current=", ".join(found.evidence),
                wanted=", ".join(f"{name} {sizing.LEAST[name]} MB at least" for name in small if name in sizing.LEAST),
                hcl="\n".join(f"{name}: memory = {max(768, 2 * sizing.LEAST[name])}" for name in small),
            )


ITEM = Item(
    id="container-memory",
    title="Each container has the memory that the guide's table asks for",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "each container has its share"),
    lines=("ECS task has minimum 2GB memory, 1 vCPU",),
)
