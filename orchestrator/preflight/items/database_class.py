"""The database server's class: below db.t4g.small the first migrations run out of memory; later it only is slow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from orchestrator.checklist.facts import known
from orchestrator.checklist.lines import of_one
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, from_finding
from orchestrator.doctor.checks import sizing
from orchestrator.engine.check import Severity
from orchestrator.engine.step import Done
from orchestrator.stack.blueprint.resources import Resource

WANTED = "db.t4g.small"


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Each server by itself."""
    for server in evidence.blueprint.of_type("aws_db_instance", "aws_rds_cluster_instance"):
        judged, good = partial(_of, server, evidence), f"at least {WANTED}"
        yield from of_one(judged, good, "", server.address, planned=evidence.planned)


def _of(server: Resource, evidence: Evidence) -> Iterable[Remark]:
    size = str(known(server, "instance_class") or "")
    severity = Severity.BLOCKER if before_migrations(server, evidence) else Severity.WARNING
    for found in sizing.judge(sizing.SizingCheckFacts({}, server.text("identifier") or server.address, size)):
        yield from_finding(
            found,
            address=server.address,
            current=size,
            wanted=f"{WANTED} or larger",
            hcl=f'instance_class = "{WANTED}"',
            severity=severity,
        )


def before_migrations(server: Resource, evidence: Evidence) -> bool:
    """The server is new, or a tenant's database is not there yet."""
    verdicts = evidence.live.verdicts.get("tenant-databases", {}) if evidence.live else {}
    return server.new or any(not isinstance(one, Done) for one in verdicts.values())


ITEM = Item(
    id="database-class",
    title="The database server is large enough for the migrations",
    occasion=Checklist.DEPLOY,
    judge=judge,
    lines=("RDS instance is at least `db.t4g.small` for initial migration",),
)
