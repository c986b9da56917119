"""`database-started`: a stopped RDS instance is told to start; the step `database-server` waits until it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.rds import ServerState
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.lifecycle.instance_owners import part_of
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import remedy


class DatabaseStartedContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def rds(self) -> DbServers:
        """RDS."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseStartedFacts:
    """The instance as seen. `foreign`: why it isn't the stack's own (known of a stopped one); empty: it is."""

    server: ServerState
    foreign: str = ""


def observe(context: DatabaseStartedContext) -> DatabaseStartedFacts:
    """One call."""
    stack = context.stack
    server = context.rds.server(stack.database.server)
    stopped = server.status == "stopped"
    why = stack.ownership.objection(*stack.database.part, stack.stack, server.tags) if stopped else ""
    return DatabaseStartedFacts(server, why)


def decide(facts: DatabaseStartedFacts) -> Verdicts:
    """An instance that is still stopping can't be started yet; any other state is for `database-server` to judge."""
    server = facts.server
    if facts.foreign:
        message = f"{server.instance} is stopped, and not started from here: {facts.foreign}"
        fix = f"ask its owner to start it; or {remedy(*part_of(server))}"
        return {STACK: Blocked(Problem("not-this-stacks", message, server.instance, fix), refused=True)}
    if server.status == "stopped":
        return {STACK: Todo(f"start {server.instance}", server.instance)}
    if server.status == "stopping":
        waiting = f"{server.instance} is stopping: it can be started once it is stopped"
        return {STACK: Wait(waiting, "database-server-stopping", "look at the instance's events in RDS", poll=10)}
    return {STACK: Done(f"{server.instance} is {server.status or 'not there'}")}


def apply(context: DatabaseStartedContext, todos: Mapping[Subject, Todo]) -> None:
    """One call."""
    context.rds.start(todos[STACK].payload)


STEP: Step[DatabaseStartedContext, DatabaseStartedFacts] = Step(
    id="database-started",
    title="the start of the database server has been requested",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=1800,
    poll=10,
)
