"""Tasks run, as many as wanted, of the newest deployment."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, unknown
from orchestrator.checklist.verdicts import seen_by
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.resources import UNKNOWN


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Before it is applied only that a service wants no tasks at all."""
    for unit in evidence.units:
        desired = unit.service.get("desired_count")
        if desired is not UNKNOWN and desired == 0:
            yield Remark(
                status=Status.FAILED,
                code="desired-count-zero",
                severity=Severity.WARNING,
                subject=unit.tenant,
                says=f"{unit.service.text('name')} runs no tasks: the site doesn't answer",
                why="its desired count is 0 (if the stack is paused: orchestrate resume)",
                address=unit.service.address,
                current="desired_count 0",
                wanted="1 or more",
                hcl="desired_count = 1",
            )
        else:
            yield unknown("whether its tasks run can be seen only once it is applied", subject=unit.tenant)


ITEM = Item(
    id="tasks-running",
    title="Every service's tasks run",
    occasion=Checklist.AFTER,
    judge=seen_by("services", judge),
    lines=("Verify ECS tasks are running: `aws ecs describe-services ...`",),
)
