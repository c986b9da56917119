"""A stack that takes no final snapshot, or can't be created from one, can't be restored."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed, unknown
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import says
from orchestrator.stack.blueprint.resources import Resource

_HCL = """snapshot_identifier       = var.snapshot # null: an empty server
skip_final_snapshot       = false
final_snapshot_identifier = "onyx-prod-postgres-final"
lifecycle {
  ignore_changes = [snapshot_identifier] # another name must never replace an existing server
}"""


def judge(evidence: Evidence) -> Iterator[Remark]:
    """One of the two is a decision, both together are an oversight."""
    for server in evidence.blueprint.of_type("aws_db_instance"):
        if server.get("skip_final_snapshot") is not True:
            yield passed("the destroy takes a final snapshot", address=server.address)
        elif not evidence.planned:
            yield unknown(
                "only a plan shows whether the configuration can start from a snapshot", address=server.address
            )
        elif _can_be_restored(server, evidence):
            yield passed("it can be created from a snapshot", address=server.address)
        else:
            yield Remark(
                status=Status.FAILED,
                code="no-way-to-restore",
                severity=Severity.WARNING,
                says="once destroyed, the database can't be restored",
                why="no final snapshot is taken, and the configuration can't start from one",
                address=server.address,
                current="skip_final_snapshot = true, no snapshot_identifier",
                wanted="a final snapshot, and a variable for the one to start from",
                hcl=_HCL,
            )


def _can_be_restored(server: Resource, evidence: Evidence) -> bool:
    return says(evidence.blueprint, server, "snapshot_identifier") or bool(server.text("snapshot_identifier"))


ITEM = Item(
    id="restorable",
    title="The database can be restored from a snapshot",
    occasion=Checklist.DEPLOY,
    judge=judge,
)
