"""`nothing-left`: nothing of the stack is there that AWS bills; the backup apart."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.engine.step import STACK, Done, Step, Verdicts, Wait, nothing_to_apply
from orchestrator.lifecycle.destroy.context import Context


@dataclass(frozen=True, slots=True)
class Facts:
    """In words, each with its id."""

    found: tuple[str, ...]


def observe(context: Context) -> Facts:
    """A call for each kind."""
    stack = context.stack
    found = context.leftovers.find(
        stack.stack,
        database=stack.database.instance,
        balancer=stack.load_balancer.arn,
        redis=stack.redis.replication_group if stack.redis else "",
        instances=sorted({one.instance_id for one in (stack.runner, *stack.vespa.values()) if one}),
    )
    bucket = stack.bucket and context.buckets.state(stack.bucket).there
    return Facts((*found, f"bucket {stack.bucket}") if bucket else found)


def decide(facts: Facts) -> Verdicts:
    """Deletions take a while to show."""
    if not facts.found:
        return {STACK: Done("nothing billable is left but the backup")}
    fix = "delete it by hand: it costs money"
    return {STACK: Wait(f"still there: {', '.join(facts.found)}", "left-over", fix)}


STEP: Step[Context, Facts] = Step(
    id="nothing-left",
    title="nothing billable is left",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=300,
    poll=10,
)
