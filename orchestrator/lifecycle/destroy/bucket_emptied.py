"""`bucket-emptied`: no version of any object is left, or S3 would refuse to delete the bucket.

It runs only behind the gate: everything in it is in the backup, or its loss was typed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts
from orchestrator.errors import Problem
from orchestrator.lifecycle.destroy.context import DestroyContext
from orchestrator.lifecycle.instance_owners import not_ours
from orchestrator.stack.ownership import PartKind


@dataclass(frozen=True, slots=True)
class BucketEmptiedFacts:
    """`versions` counts delete markers too. `foreign`: why it isn't the stack's own to lose; empty: it is."""

    bucket: str
    versions: int = 0
    foreign: str = ""


def observe(context: DestroyContext) -> BucketEmptiedFacts:
    """A call for each 1000 versions of one that is the stack's own."""
    bucket = context.stack.bucket or ""
    there = bool(bucket) and context.buckets.state(bucket).there
    why = objection(context) if there else ""
    return BucketEmptiedFacts(bucket, sum(1 for _ in context.buckets.versions(bucket)) if there and not why else 0, why)


def objection(context: DestroyContext) -> str:
    """Why the stack's bucket may not be emptied; empty: it may. One call where no state tells whose it is."""
    stack, bucket = context.stack, context.stack.bucket or ""
    tags = {} if stack.ownership.manages(PartKind.BUCKET, bucket) else context.buckets.tags(bucket)
    return stack.ownership.loss(PartKind.BUCKET, bucket, stack.stack, tags)


def decide(facts: BucketEmptiedFacts) -> Verdicts:
    """Empty, or to be emptied; what isn't the stack's own keeps what is in it."""
    if facts.foreign:
        return {STACK: Done(f"{facts.bucket} keeps what is in it: {facts.foreign}")}
    if facts.versions:
        return {STACK: Todo(f"delete {facts.versions} versions in {facts.bucket}", facts.versions)}
    return {STACK: Done("it is empty" if facts.bucket else "the stack has no bucket")}


def apply(context: DestroyContext, _todos: Mapping[Subject, Todo]) -> None:
    """1000 a call."""
    bucket = context.stack.bucket or ""
    if objection(context):  # said otherwise since it was looked at
        return
    context.buckets.delete(bucket, context.buckets.versions(bucket))


def findings(facts: BucketEmptiedFacts) -> Iterable[Problem]:
    """A bucket that stays."""
    if facts.foreign:
        yield not_ours(PartKind.BUCKET, facts.bucket, facts.foreign)


STEP: Step[DestroyContext, BucketEmptiedFacts] = Step(
    id="bucket-emptied",
    title="the bucket can be deleted",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("unprotected",),
    timeout=24 * 3600,
    findings=findings,
)
