"""`nothing-left`: nothing of the stack is there that AWS bills; the backup apart."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.engine.step import STACK, Done, Step, Verdicts, Wait, nothing_to_apply
from orchestrator.lifecycle.destroy.context import DestroyContext
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import PartKind


@dataclass(frozen=True, slots=True)
class NothingLeftFacts:
    """In words, each with its id."""

    found: tuple[str, ...]


def observe(context: DestroyContext) -> NothingLeftFacts:
    """A call for each kind. What isn't the stack's own is not looked for: it is to be there."""
    stack = context.stack
    redis, bucket = stack.redis.replication_group if stack.redis else "", stack.bucket or ""
    machines = {*stack.index_instances, *([stack.runner.instance_id] if stack.runner else ())}
    found = context.leftovers.find(
        stack.stack,
        database=_own(stack, *stack.database.part) if stack.database.instance else "",
        cluster=_own(stack, *stack.database.part) if stack.database.cluster else "",
        balancers=[one.arn for one in stack.balancers if _own(stack, PartKind.BALANCER, one.arn)],
        redis=_own(stack, PartKind.REDIS, redis),
        instances=sorted(one for one in machines if _own(stack, PartKind.INSTANCE, one)),
    )
    stays = bool(_own(stack, PartKind.BUCKET, bucket)) and context.buckets.state(bucket).there
    return NothingLeftFacts((*found, f"bucket {bucket}") if stays else found)


def _own(stack: Stack, kind: PartKind, name: str) -> str:
    """The name, of what is the stack's own as far as is known; else nothing."""
    return "" if stack.ownership.objection(kind, name, stack.stack) else name


def decide(facts: NothingLeftFacts) -> Verdicts:
    """Deletions take a while to show."""
    if not facts.found:
        return {STACK: Done("nothing billable is left but the backup")}
    fix = "find out whose it is, and delete it by hand if it is this stack's: it costs money"
    return {STACK: Wait(f"still there: {', '.join(facts.found)}", "left-over", fix)}


STEP: Step[DestroyContext, NothingLeftFacts] = Step(
    id="nothing-left",
    title="nothing billable is left",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=300,
    poll=10,
)
