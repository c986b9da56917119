"""`bucket-emptied`: no version of any object is left, or S3 would refuse to delete the bucket.

It runs only behind the gate: everything in it is in the backup, or its loss was typed out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts
from orchestrator.lifecycle.destroy.context import Context


@dataclass(frozen=True, slots=True)
class Facts:
    """`versions` counts delete markers too."""

    bucket: str
    versions: int = 0


def observe(context: Context) -> Facts:
    """A call for each 1000 versions."""
    bucket = context.stack.bucket or ""
    there = bool(bucket) and context.buckets.state(bucket).there
    return Facts(bucket, sum(1 for _ in context.buckets.versions(bucket)) if there else 0)


def decide(facts: Facts) -> Verdicts:
    """Empty, or to be emptied."""
    if facts.versions:
        return {STACK: Todo(f"delete {facts.versions} versions in {facts.bucket}", facts.versions)}
    return {STACK: Done("it is empty" if facts.bucket else "the stack has no bucket")}


def apply(context: Context, _todos: Mapping[Subject, Todo]) -> None:
    """1000 a call."""
    bucket = context.stack.bucket or ""
    context.buckets.delete(bucket, context.buckets.versions(bucket))


STEP: Step[Context, Facts] = Step(
    id="bucket-emptied",
    title="the bucket can be deleted",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("unprotected",),
    timeout=24 * 3600,
)
