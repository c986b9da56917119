"""The database server's own state: missing, stopped, out of storage, or at another address than the contract says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.aws.rds import CLUSTER, ELSEWHERE, ServerState
from orchestrator.aws.rds_statuses import COMING, OUTAGES, STOPPED, USABLE
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

EXPLAINS = frozenset(
    {
        "could-not-look",
        "task-database-unreachable",
        "task-database-host-unknown",
        "task-database-storage-full",
        "task-container-exited",
    }
)


@dataclass(frozen=True, slots=True)
class DatabaseServerCheckFacts:
    """What RDS says, and the address that the contract says."""

    server: ServerState
    host: str


def gather(scene: Scene) -> DatabaseServerCheckFacts:
    """One call."""
    return DatabaseServerCheckFacts(scene.server(), scene.stack.database.host)


def judge(facts: DatabaseServerCheckFacts) -> Iterable[Finding]:
    """Being created or modified is no finding."""
    server = facts.server
    if server.kind == ELSEWHERE:
        return
    if not server.status:
        yield _blocker(
            "database-server-missing",
            server,
            f"there is no such {server.words}",
            "terraform apply (restore: set the snapshot variable)",
        )
    elif server.status in OUTAGES:
        outage = server.outage
        yield _blocker(f"database-server-{server.status}", server, outage.cause, outage.fix)
    elif server.status not in COMING | USABLE:
        yield Finding(
            code="database-server-status-unknown",
            severity=Severity.WARNING,
            symptom=f"RDS says {server.status} of {server.instance}, which isn't known here",
            cause="RDS has more statuses than this program knows",
            fix=f"see what RDS notes about it: {server.events}",
            evidence=(_said(server),),
            explains=EXPLAINS,
        )
    elif server.host and server.host.lower() != facts.host.lower():
        yield Finding(
            code="database-host-stale",
            severity=Severity.BLOCKER,
            symptom=f"{server.instance} is not where the contract says",
            cause="the server was recreated (or the contract is out of date): its address changed",
            fix="terraform apply, so that outputs and task definitions have the current address",
            evidence=(f"RDS: {server.host}", f"contract: {facts.host}"),
            explains=EXPLAINS,
        )


def _said(server: ServerState) -> str:
    """RDS's own word for it."""
    if server.kind == CLUSTER:
        return f"Status {server.status}" if server.status else "DBClusterNotFoundFault"
    return f"DBInstanceStatus {server.status or 'DBInstanceNotFound'}"


def _blocker(code: str, server: ServerState, cause: str, fix: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKER,
        symptom=f"the database server {server.instance} does not answer",
        cause=cause,
        fix=fix,
        evidence=(_said(server),),
        explains=EXPLAINS,
        at_rest=server.status in STOPPED,
    )


CHECK: Check[Scene, DatabaseServerCheckFacts] = Check(
    id="database-server",
    title="The database server is available where the contract says",
    gather=gather,
    judge=judge,
    guide_section="Database Issues",
)
