"""`unprotected`: AWS no longer refuses to delete the database server and the load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.aws.protection import Protected
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.lifecycle.destroy.context import DestroyContext
from orchestrator.stack.ownership import PartKind

DATABASE, BALANCER = "database", "load balancer"


@dataclass(frozen=True, slots=True)
class UnprotectedFacts:
    """What is protected. `foreign`: what of it isn't the stack's own to lose (`DATABASE`, `BALANCER`), and why."""

    protected: Protected
    foreign: Mapping[str, str] = field(default_factory=dict)


def observe(context: DestroyContext) -> UnprotectedFacts:
    """Two calls; one more where no state tells whose the load balancer is."""
    stack, known = context.stack, context.stack.ownership
    database, balancer = stack.database, stack.load_balancer.arn
    seen = context.protection.seen(database.server, balancer, database.kind)
    tags = {} if known.manages(PartKind.BALANCER, balancer) else context.protection.balancer_tags(balancer)
    why = {
        DATABASE: known.loss(*stack.database.part, stack.stack, seen.tags),
        BALANCER: known.loss(PartKind.BALANCER, balancer, stack.stack, tags),
    }
    return UnprotectedFacts(seen, {name: text for name, text in why.items() if text})


def decide(facts: UnprotectedFacts) -> Verdicts:
    """Both at once; what isn't the stack's own stays as it is."""
    seen = replace(
        facts.protected,
        database=facts.protected.database and DATABASE not in facts.foreign,
        balancer=facts.protected.balancer and BALANCER not in facts.foreign,
    )
    names = [name for name, is_so in ((DATABASE, seen.database), (BALANCER, seen.balancer)) if is_so]
    if seen.changing and DATABASE not in facts.foreign:
        return {STACK: Wait("the database server is being modified", "database-server-modifying", "wait")}
    if names:
        return {STACK: Todo(f"allow the deletion of the {' and the '.join(names)}", seen)}
    if facts.foreign:
        return {STACK: Done("; ".join(f"the {name} is left as it is: {why}" for name, why in facts.foreign.items()))}
    return {STACK: Done("nothing is protected against deletion")}


def apply(context: DestroyContext, todos: Mapping[Subject, Todo]) -> None:
    """Through the API, so that it works whatever the configuration calls its variables."""
    protected: Protected = todos[STACK].payload
    if protected.database:
        context.protection.release_database(context.stack.database.server, context.stack.database.kind)
    if protected.balancer:
        context.protection.release_balancer(context.stack.load_balancer.arn)


def findings(facts: UnprotectedFacts) -> Iterable[Problem]:
    """What stays protected."""
    for name, why in facts.foreign.items():
        fix = "terraform destroy leaves it too; its owner must remove what this stack has in it"
        yield Problem("not-this-stacks", f"the {name} is left as it is: {why}", name, fix)


STEP: Step[DestroyContext, UnprotectedFacts] = Step(
    id="unprotected",
    title="nothing is protected against deletion",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=600,
    findings=findings,
)
