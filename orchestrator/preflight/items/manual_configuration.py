"""What was configured in the admin pages is in the tenants' databases; only people know what was set up elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, manual
from orchestrator.engine.check import Severity

ELSEWHERE = "connectors' apps at other services, redirect URLs, allow lists, API keys handed out"


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Never passed: without a snapshot it is lost for sure, with one a person still has to write down the rest."""
    servers = list(evidence.blueprint.of_type("aws_db_instance", "aws_rds_cluster"))
    lost = [one for one in servers if one.get("skip_final_snapshot") is True]
    if lost and not (evidence.live and evidence.live.newest_snapshot):
        yield Remark(
            status=Status.FAILED,
            code="configuration-not-kept",
            severity=Severity.WARNING,
            says="what was configured in the admin pages is lost, and nobody has written it down",
            why="it is in the tenants' databases, and the destroy keeps none of them",
            address=lost[0].address,
            current="skip_final_snapshot = true, no snapshot",
            wanted="a snapshot, and a note of what is elsewhere",
            hcl='skip_final_snapshot       = false\nfinal_snapshot_identifier = "onyx-prod-postgres-final"',
        )
        return
    for tenant, one in evidence.tenancy.tenants.items():
        page = f"https://{one.hostname or '<site>'}/admin"
        yield manual(
            "manual-configuration",
            f"write down what is not in the database: {ELSEWHERE}",
            subject=tenant,
            address=page,
            fix=f"go through {page}",
        )


ITEM = Item(
    id="manual-configuration",
    title="What was configured by hand is written down",
    occasion=Checklist.DESTROY,
    judge=judge,
    lines=("Document any manual configurations made in the UI",),
)
