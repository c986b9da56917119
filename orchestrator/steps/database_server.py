"""`database-server`: the RDS instance, or the cluster with its writer, is available."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.rds import ELSEWHERE, ServerState
from orchestrator.aws.rds_statuses import COMING, OUTAGES, STOPPED, USABLE
from orchestrator.engine.step import STACK, Blocked, Done, Step, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.errors import Problem
from orchestrator.stack.contract import Stack


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
    if server.status not in OUTAGES:
        message = f"{name} is {server.status}: RDS says something that isn't known here"
        return Wait(message, "database-server-status-unknown", f"see what RDS notes about it: {server.events}")
    outage = server.outage
    fix = f"orchestrate resume (or: {outage.fix})" if server.status in STOPPED else outage.fix
    message = f"{name} is {server.status}: {outage.cause}"
    return Blocked(Problem(f"database-server-{server.status}", message, name, fix))


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
