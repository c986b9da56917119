"""`database-server`: the RDS instance, or the cluster with its writer, is available."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.rds import ELSEWHERE, ServerState
from orchestrator.engine.step import STACK, Blocked, Done, Step, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.errors import Problem
from orchestrator.stack.contract import Stack

COMING = frozenset(
    {
        "creating",
        "backing-up",
        "failing-over",
        "migrating",
        "promoting",
        "update-iam-db-auth",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "maintenance",
        "modifying",
        "rebooting",
        "renaming",
        "resetting-master-credentials",
        "starting",
        "upgrading",
        "storage-config-upgrade",
        "storage-initialization",
    }
)
"""Statuses that end in `available` by themselves (RDS user guide, "Viewing DB instance status")."""

USABLE = frozenset({"available", "storage-optimization", "backing-up", "configuring-enhanced-monitoring"})


class DatabaseServerContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def rds(self) -> DbServers:
        """Where DB instances are read."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseServerFacts:
    """The instance as seen, and the address the contract says it has."""

    server: ServerState
    host: str


def observe(context: DatabaseServerContext) -> DatabaseServerFacts:
    """One call."""
    database = context.stack.database
    return DatabaseServerFacts(context.rds.server(database.server), database.host)


def decide(facts: DatabaseServerFacts) -> Verdicts:
    """Available at the contract's address, on its way there, or not without somebody."""
    return {STACK: _verdict(facts.server, facts.host)}


def _verdict(server: ServerState, host: str) -> Verdict:
    name = server.instance
    if server.kind == ELSEWHERE:
        return Done(f"{name} isn't RDS's: the next step sees whether it answers")
    if not server.status:
        return Blocked(missing(server))
    if server.status in USABLE:
        if server.host.lower() != host.lower():
            message = f"the contract says {host}, RDS says {server.host}"
            return Blocked(Problem("contract-stale", message, name, "run terraform apply, or pass the current outputs"))
        return Done(f"{name} is {server.status}")
    if server.status in COMING:
        return Wait(
            f"{name} is {server.status}", "database-server-not-available", "look at the instance's events in RDS"
        )
    start = server.command("start")
    fixes = {
        "stopped": f"orchestrate resume (or: {start})",
        "stopping": f"orchestrate resume (or wait until it is stopped, then: {start})",
        "storage-full": "give the instance more storage (allocated_storage)",
        "without-writer": "give the cluster an instance (aws_rds_cluster_instance); terraform apply",
        "deleting": "it is being destroyed: run terraform apply afterwards",
    }
    fix = fixes.get(server.status, "look at the instance's events in RDS")
    return Blocked(Problem(f"database-server-{server.status}", f"{name} is {server.status}", name, fix))


def missing(server: ServerState) -> Problem:
    """RDS doesn't know it."""
    fix = f"check `region` and `database.{server.kind}` in the contract; was the stack destroyed?"
    name = server.instance
    return Problem("database-server-missing", f"there is no {server.words} {name}", name, fix)


STEP: Step[DatabaseServerContext, DatabaseServerFacts] = Step(
    id="database-server",
    title="the database server is available",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=1800,
    poll=10,
)
