"""`backup-place`: the backups' bucket is there, private and versioned, and this backup has begun in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.aws.buckets import BucketState, taken
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdicts
from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import parse
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.vault import STACK_TAG


@dataclass(frozen=True, slots=True)
class BackupPlaceFacts:
    """The bucket, and whether the manifest stands in it (complete or in progress). `others`: it is another stack's."""

    bucket: str
    state: BucketState
    begun: bool
    others: str = ""


def observe(tools: Tools) -> BackupPlaceFacts:
    """Two or three calls."""
    state = tools.buckets.state(tools.vault.bucket)
    text = tools.buckets.read(tools.vault.bucket, tools.manifest.key) if state.there else None
    known = parse(text, tools.manifest.place) if text else None
    other = known.stack if known and known.stack != tools.manifest.stack else ""
    return BackupPlaceFacts(tools.vault.bucket, state, known is not None, other)


def decide(facts: BackupPlaceFacts) -> Verdicts:
    """Make it, protect it, write down what can't be observed again: in this order."""
    if facts.state.foreign:
        return {STACK: Blocked(taken(facts.bucket))}
    if not facts.state.there:
        return {STACK: Todo(f"make the bucket {facts.bucket}", "create")}
    if not (facts.state.versioned and facts.state.private):
        return {STACK: Todo(f"keep versions in {facts.bucket} and the public out", "protect")}
    if facts.others:
        message = f"{facts.others} has begun a backup in {facts.bucket} in the same second"
        fix = "run the command again: its id is another one then"
        return {STACK: Blocked(Problem("backup-id-taken", message, facts.bucket, fix))}
    if not facts.begun:
        return {STACK: Todo("write down the desired counts and the contract", "begin")}
    return {STACK: Done(f"in {facts.bucket}")}


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """One of the three."""
    what = todos[STACK].payload
    if what == "create":
        tools.buckets.create(tools.vault.bucket)
    elif what == "protect":
        tools.buckets.protect(tools.vault.bucket, {STACK_TAG: tools.stack.stack})
    else:
        tools.vault.put(tools.manifest)


STEP: Step[Tools, BackupPlaceFacts] = Step(
    id="backup-place",
    title="the backup has a place outside the stack",
    observe=observe,
    decide=decide,
    apply=apply,
)
