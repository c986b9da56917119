"""`unprotected`: AWS no longer refuses to delete the database server and the load balancers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.protection import Protected
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.lifecycle.destroy.context import DestroyContext
from orchestrator.stack.ownership import PartKind

DATABASE, BALANCER = "database", "load balancer"


@dataclass(frozen=True, slots=True)
class UnprotectedFacts:
    """What is protected; `further` are the ARNs of load balancers besides the stack's first one that are.

    `foreign`: what of it isn't the stack's own to lose (`DATABASE`, `BALANCER`, the ARN of a further one), and why.
    """

    protected: Protected
    foreign: Mapping[str, str] = field(default_factory=dict)
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Releases:
    """What is to be released."""

    database: bool = False
    balancer: bool = False
    further: tuple[str, ...] = ()


def observe(context: DestroyContext) -> UnprotectedFacts:
    """Two calls, one for each further load balancer; one more where no state tells whose a load balancer is."""
    stack, known = context.stack, context.stack.ownership
    database, first = stack.database, stack.load_balancer.arn
    seen = context.protection.seen(database.server, first, database.kind)
    others = [one.arn for one in stack.balancers if one.arn != first]
    why = {DATABASE: known.loss(*stack.database.part, stack.stack, seen.tags)}
    for name, balancer in {BALANCER: first, **{arn: arn for arn in others}}.items():
        tags = {} if known.manages(PartKind.BALANCER, balancer) else context.protection.balancer_tags(balancer)
        why[name] = known.loss(PartKind.BALANCER, balancer, stack.stack, tags)
    further = tuple(arn for arn in others if context.protection.bars(arn))
    return UnprotectedFacts(seen, {name: text for name, text in why.items() if text}, further)


def decide(facts: UnprotectedFacts) -> Verdicts:
    """Both at once; what isn't the stack's own stays as it is."""
    own = Releases(
        database=facts.protected.database and DATABASE not in facts.foreign,
        balancer=facts.protected.balancer and BALANCER not in facts.foreign,
        further=tuple(arn for arn in facts.further if arn not in facts.foreign),
    )
    names = [name for name, is_so in ((DATABASE, own.database), (BALANCER, own.balancer)) if is_so]
    names += map(_called, own.further)
    if facts.protected.changing and DATABASE not in facts.foreign:
        return {STACK: Wait("the database server is being modified", "database-server-modifying", "wait")}
    if names:
        return {STACK: Todo(f"allow the deletion of the {' and the '.join(names)}", own)}
    if facts.foreign:
        left = (f"the {_called(name)} is left as it is: {why}" for name, why in facts.foreign.items())
        return {STACK: Done("; ".join(left))}
    return {STACK: Done("nothing is protected against deletion")}


def _called(name: str) -> str:
    """A further load balancer by its name: `…:loadbalancer/app/NAME/ID`."""
    return name if name in (DATABASE, BALANCER) else f"load balancer {name.split('/')[-2]}"


def apply(context: DestroyContext, todos: Mapping[Subject, Todo]) -> None:
    """Through the API, so that it works whatever the configuration calls its variables."""
    release: Releases = todos[STACK].payload
    if release.database:
        context.protection.release_database(context.stack.database.server, context.stack.database.kind)
    if release.balancer:
        context.protection.release_balancer(context.stack.load_balancer.arn)
    for balancer in release.further:
        context.protection.release_balancer(balancer)


def findings(facts: UnprotectedFacts) -> Iterable[Problem]:
    """What stays protected."""
    for name, why in facts.foreign.items():
        fix = "terraform destroy leaves it too; its owner must remove what this stack has in it"
        yield Problem("not-this-stacks", f"the {_called(name)} is left as it is: {why}", _called(name), fix)


STEP: Step[DestroyContext, UnprotectedFacts] = Step(
    id="unprotected",
    title="nothing is protected against deletion",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=600,
    findings=findings,
)
