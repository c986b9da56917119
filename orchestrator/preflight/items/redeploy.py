"""Services whose tasks started before their database existed are redeployed."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed, unknown
from orchestrator.checklist.verdicts import seen_by
from orchestrator.engine.check import Severity


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Whether Terraform itself would wait for tasks that can't come up yet."""
    new = any(one.new for one in evidence.blueprint.of_type("aws_db_instance", "aws_rds_cluster"))
    for unit in evidence.units:
        if unit.service.get("wait_for_steady_state") is True and (new or unit.service.new):
            yield Remark(
                status=Status.FAILED,
                code="apply-waits-for-ever",
                severity=Severity.BLOCKER,
                subject=unit.tenant,
                says="terraform apply waits for tasks that can't start: their database is created afterwards",
                why="wait_for_steady_state holds the apply until the service is stable",
                address=unit.service.address,
                current="wait_for_steady_state = true",
                wanted="false: orchestrate apply waits, after it has created the database",
                hcl="wait_for_steady_state = false",
            )
        elif not new and not unit.service.new and evidence.planned:
            yield passed("no task starts before its database", subject=unit.tenant)
        else:
            yield unknown("orchestrate apply redeploys what started too early", subject=unit.tenant)


ITEM = Item(
    id="redeploy",
    title="No running task started before its database existed",
    occasion=Checklist.AFTER,
    judge=seen_by("redeploy", judge),
    lines=("Force ECS redeployment if tasks started before database existed",),
)
