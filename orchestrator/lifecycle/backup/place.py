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
    """The bucket, and whether the manifest stands in it (complete or in progress). `others`: it is another stack's.

    `used`: it holds or is marked as something that no backup of ours made.
    """

    bucket: str
    state: BucketState
    begun: bool
    others: str = ""
    used: bool = False


def observe(tools: Tools) -> BackupPlaceFacts:
    """Two or three calls; two more of a bucket that is there and not protected yet."""
    state = tools.buckets.state(tools.vault.bucket)
    text = tools.buckets.read(tools.vault.bucket, tools.manifest.key) if state.there else None
    known = parse(text, tools.manifest.place) if text else None
    other = known.stack if known and known.stack != tools.manifest.stack else ""
    ready = not state.there or (state.versioned and state.private)
    return BackupPlaceFacts(tools.vault.bucket, state, known is not None, other, used=not ready and _used(tools))


def _used(tools: Tools) -> bool:
    """Whether somebody else uses it: what is not marked by us is ours to change only while nothing is in it."""
    tags = tools.buckets.tags(tools.vault.bucket)
    return STACK_TAG not in tags and (bool(tags) or any(True for _ in tools.buckets.versions(tools.vault.bucket)))


def decide(facts: BackupPlaceFacts) -> Verdicts:
    """Make it, protect it, write down what can't be observed again: in this order."""
    if facts.state.foreign:
        return {STACK: Blocked(taken(facts.bucket))}
    if not facts.state.there:
        return {STACK: Todo(f"create the bucket {facts.bucket}", "create")}
    if facts.used:
        message = f"{facts.bucket} is used for something else, and keeps no versions or doesn't block public access"
        fix = (
            "turn both on yourself (aws s3api put-bucket-versioning, put-public-access-block), if that is fine for "
            "its users; or choose another with --backup-bucket: one that doesn't exist is created"
        )
        return {STACK: Blocked(Problem("backup-bucket-unprotected", message, facts.bucket, fix), refused=True)}
    if not (facts.state.versioned and facts.state.private):
        return {STACK: Todo(f"turn on versioning in {facts.bucket} and block public access", "protect")}
    if facts.others:
        message = f"{facts.others} started a backup in {facts.bucket} in the same second"
        fix = "run the command again: it gets another id"
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
        kept = {key: value for key, value in tools.buckets.tags(tools.vault.bucket).items() if key[:4] != "aws:"}
        tools.buckets.protect(tools.vault.bucket, {**kept, STACK_TAG: tools.stack.stack})
    else:
        tools.vault.put(tools.manifest)


STEP: Step[Tools, BackupPlaceFacts] = Step(
    id="backup-place",
    title="the backup has a place outside the stack",
    observe=observe,
    decide=decide,
    apply=apply,
)
