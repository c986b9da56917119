"""A stopped RDS instance is started again by AWS after 7 days, and costs money from then on."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed
from orchestrator.engine.check import Severity


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Of those that exist, as Terraform's refresh found them."""
    for server in evidence.blueprint.of_type("aws_db_instance"):
        status = server.text("status")
        if status in ("stopped", "stopping"):
            yield Remark(
                status=Status.FAILED,
                code="database-restarts-by-itself",
                severity=Severity.WARNING,
                says="AWS starts the stopped database server again after 7 days",
                why="RDS stops an instance for 7 days at most",
                address=server.address,
                current=f"status {status}",
                wanted="available, or stopped again each week while the stack is paused",
                fix="orchestrate resume, or orchestrate pause again before the week is over",
            )
        elif status:
            yield passed("it is not stopped", address=server.address, current=status)


ITEM = Item(
    id="database-restart",
    title="AWS won't start a stopped database server by itself",
    occasion=Checklist.DEPLOY,
    judge=judge,
)
