"""The database server's own state: missing, stopped, out of storage, or at another address than the contract says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.aws.rds import CLUSTER, ELSEWHERE, ServerState
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.steps.database_server import COMING, USABLE

EXPLAINS = frozenset(
    {
        "could-not-look",
        "task-database-unreachable",
        "task-database-host-unknown",
        "task-database-storage-full",
        "task-container-exited",
    }
)
_FIXES = {
    "stopped": "{start}",
    "stopping": "wait until it is stopped, then: {start}",
    "without-writer": "give the cluster an instance (aws_rds_cluster_instance); terraform apply",
    "storage-full": "aws rds modify-db-instance --db-instance-identifier {name} --allocated-storage {more} "
    "--apply-immediately",
    "deleting": "terraform apply, once it is gone (its last snapshot: aws rds describe-db-snapshots)",
}


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
    elif server.status not in COMING | USABLE:
        more = max(server.storage + 20, round(server.storage * 1.5))
        source = "db-cluster" if server.kind == CLUSTER else "db-instance"
        events = f"aws rds describe-events --source-type {source} --source-identifier {server.instance}"
        fix = _FIXES.get(server.status, events)
        yield _blocker(
            f"database-server-{server.status}",
            server,
            "its storage is full: it accepts no writes"
            if server.status == "storage-full"
            else f"it is {server.status}",
            fix.format(name=server.machine, more=more, start=server.command("start")),
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
        at_rest=server.status in ("stopped", "stopping"),
    )


CHECK: Check[Scene, DatabaseServerCheckFacts] = Check(
    id="database-server",
    title="The database server is available where the contract says",
    gather=gather,
    judge=judge,
    guide_section="Database Issues",
)
