"""A snapshot of the database from before the destroy: taken by Terraform during the destroy, or an existing one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from orchestrator.checklist.facts import known
from orchestrator.checklist.lines import of_one
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.resources import Resource

FRESH = timedelta(hours=24)
"""A snapshot that is older lacks a day's work."""


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Each server by itself."""
    for server in evidence.blueprint.of_type("aws_db_instance", "aws_rds_cluster"):
        yield from of_one(
            partial(_of, server, evidence), "a final snapshot is taken", "", server.address, planned=evidence.planned
        )


def _of(server: Resource, evidence: Evidence) -> Iterator[Remark]:
    if not known(server, "skip_final_snapshot") and server.get("final_snapshot_identifier") is not None:
        return
    live = evidence.live
    newest = live.newest_snapshot if live else None
    if live and live.now and newest and live.now - newest < FRESH:
        yield passed("a snapshot exists", address=server.address, current=f"taken {newest:%Y-%m-%d %H:%M} UTC")
        return
    age = f"the newest snapshot is from {newest:%Y-%m-%d %H:%M} UTC" if newest else "no snapshot is known"
    yield Remark(
        status=Status.FAILED,
        code="no-final-snapshot",
        severity=Severity.WARNING,
        says="accounts, chats and connectors are lost with the database server",
        why=f"the destroy takes no snapshot, and {age}",
        address=server.address,
        current=f"skip_final_snapshot = {str(bool(server.get('skip_final_snapshot'))).lower()}; {age}",
        wanted="a final snapshot, or one from today",
        hcl='skip_final_snapshot       = false\nfinal_snapshot_identifier = "onyx-prod-postgres-final"',
        fix=f"aws rds create-db-snapshot --db-instance-identifier {server.text('identifier')} "
        "--db-snapshot-identifier <name>",
    )


ITEM = Item(
    id="database-snapshot",
    title="The database can be restored after the destroy",
    occasion=Checklist.DESTROY,
    judge=judge,
    lines=("Create RDS snapshot: `aws rds create-db-snapshot ...`",),
)
