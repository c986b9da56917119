"""`database-released`: AWS doesn't refuse to delete a database server whose replacement by a snapshot was agreed to.

The new one is protected again, if Terraform says so. It runs only behind the gate: what is lost was named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.aws.protection import Protected
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts, Wait
from orchestrator.lifecycle.tools import Tools


@dataclass(frozen=True, slots=True)
class DatabaseReleasedFacts:
    """What is protected. `foreign`: why the server isn't the stack's own to lose; empty: it is."""

    protected: Protected
    foreign: str = ""


def observe(tools: Tools) -> DatabaseReleasedFacts:
    """One call."""
    stack = tools.stack
    seen = tools.protection.seen(stack.database.server, "", stack.database.kind)
    return DatabaseReleasedFacts(seen, stack.ownership.loss(*stack.database.part, stack.stack, seen.tags))


def decide(facts: DatabaseReleasedFacts) -> Verdicts:
    """Protected, or not (any more); one that isn't the stack's own stays as it is."""
    if facts.foreign:
        return {STACK: Done(f"the database server is left as it is: {facts.foreign}")}
    if facts.protected.changing:
        return {STACK: Wait("the database server is being modified", "database-server-modifying", "wait")}
    if facts.protected.database:
        return {STACK: Todo("allow the deletion of the database server")}
    return {STACK: Done("the database server may be replaced")}


def apply(tools: Tools, _todos: Mapping[Subject, Todo]) -> None:
    """One call."""
    database = tools.stack.database
    tools.protection.release_database(database.server, database.kind)


STEP: Step[Tools, DatabaseReleasedFacts] = Step(
    id="database-released",
    title="the database server may be replaced",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
    whole=True,
    timeout=600,
)
