"""`unprotected`: AWS no longer refuses to delete the database server and the load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.aws.protection import Protected
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts, Wait
from orchestrator.lifecycle.destroy.context import Context


@dataclass(frozen=True, slots=True)
class Facts:
    """What is protected."""

    protected: Protected


def observe(context: Context) -> Facts:
    """Two calls."""
    return Facts(context.protection.seen(context.stack.database.instance, context.stack.load_balancer.arn))


def decide(facts: Facts) -> Verdicts:
    """Both at once."""
    seen = facts.protected
    names = [name for name, is_so in (("database", seen.database), ("load balancer", seen.balancer)) if is_so]
    if seen.changing:
        return {STACK: Wait("the database server is being modified", "database-server-modifying", "wait")}
    if names:
        return {STACK: Todo(f"allow the deletion of the {' and the '.join(names)}", facts.protected)}
    return {STACK: Done("nothing is protected against deletion")}


def apply(context: Context, todos: Mapping[Subject, Todo]) -> None:
    """Through the API, so that it works whatever the configuration calls its variables."""
    protected: Protected = todos[STACK].payload
    if protected.database:
        context.protection.release_database(context.stack.database.instance)
    if protected.balancer:
        context.protection.release_balancer(context.stack.load_balancer.arn)


STEP: Step[Context, Facts] = Step(
    id="unprotected",
    title="nothing is protected against deletion",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=600,
)
