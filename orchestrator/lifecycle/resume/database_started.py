"""`database-started`: a stopped RDS instance is told to start; the step `database-server` waits until it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.rds import ServerState
from orchestrator.contract import Stack
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts, Wait


class Servers(Protocol):
    """DB instances."""

    def server(self, instance: str) -> ServerState:
        """The instance's state now."""
        ...

    def start(self, instance: str) -> None:
        """Begin to start it."""
        ...


class Context(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def rds(self) -> Servers:
        """RDS."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """The instance as seen."""

    server: ServerState


def observe(context: Context) -> Facts:
    """One call."""
    return Facts(context.rds.server(context.stack.database.instance))


def decide(facts: Facts) -> Verdicts:
    """An instance that is still stopping can't be started yet; any other state is for `database-server` to judge."""
    server = facts.server
    if server.status == "stopped":
        return {STACK: Todo(f"start {server.instance}", server.instance)}
    if server.status == "stopping":
        waiting = f"{server.instance} is stopping: it can be started once it is stopped"
        return {STACK: Wait(waiting, "database-server-stopping", "look at the instance's events in RDS", poll=10)}
    return {STACK: Done(f"{server.instance} is {server.status or 'not there'}")}


def apply(context: Context, todos: Mapping[Subject, Todo]) -> None:
    """One call."""
    context.rds.start(todos[STACK].payload)


STEP: Step[Context, Facts] = Step(
    id="database-started",
    title="the database server is told to start",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=1800,
    poll=10,
)
