"""`files-returned`: every object of the backup is in the stack's bucket, copied on S3's side.

It only adds: an object of the stack's own is never deleted or replaced by an older one, unless the loss was named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdicts
from orchestrator.errors import Problem, counted
from orchestrator.lifecycle.backup.files_copied import fingerprint
from orchestrator.lifecycle.instance_owners import not_ours
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import ListingDifference, copy_all, gap, human, overwriting, relative
from orchestrator.stack.ownership import PartKind


@dataclass(frozen=True, slots=True)
class FilesReturnedFacts:
    """What is still to be copied; `kept`: the backup has files. `newer` would be replaced by older ones.

    `named`: that the bucket's own objects are lost was named, so they go. `foreign`: why the bucket isn't the stack's
    own; empty: it is.
    """

    bucket: str
    kept: bool
    gap: ListingDifference
    count: int = 0
    newer: tuple[str, ...] = ()
    named: bool = False
    foreign: str = ""


def observe(tools: Tools) -> FilesReturnedFacts:
    """Both listings."""
    bucket, files = tools.stack.bucket or "", tools.manifest.files
    if not bucket or files is None:
        return FilesReturnedFacts(bucket, files is not None, ListingDifference())
    if why := _objection(tools, bucket):
        return FilesReturnedFacts(bucket, True, ListingDifference(), foreign=why)
    source = relative(tools.buckets.objects(tools.manifest.bucket, files.prefix), files.prefix)
    target = relative(tools.buckets.objects(bucket), "")
    if f"bucket:{bucket}" in tools.lost:
        return FilesReturnedFacts(bucket, True, overwriting(source, target, tools.since), len(source), named=True)
    work = gap(source, target)
    newer = (key for key, one in work.missing.items() if key in target and target[key].modified >= one.modified)
    return FilesReturnedFacts(bucket, True, work, len(source), tuple(sorted(newer)))


def _objection(tools: Tools, bucket: str) -> str:
    """Why nothing may be written to it; empty: it may. One call where no state tells whose it is."""
    stack = tools.stack
    tags = {} if stack.ownership.manages(PartKind.BUCKET, bucket) else tools.buckets.tags(bucket)
    return stack.ownership.loss(PartKind.BUCKET, bucket, stack.stack, tags)


def decide(facts: FilesReturnedFacts) -> Verdicts:
    """Copy what is missing."""
    if not facts.kept:
        return {STACK: Done("the backup has no files")}
    if not facts.bucket:
        fix = "give the stack a bucket (`bucket` in the contract)"
        return {STACK: Blocked(Problem("bucket-missing", "the backup has files, but the stack has no bucket", "", fix))}
    if facts.foreign:
        return {STACK: Blocked(not_ours(PartKind.BUCKET, facts.bucket, facts.foreign), refused=True)}
    if facts.newer:
        newer = counted(len(facts.newer), "object")
        message = f"the bucket holds {newer} newer than the backup, such as {facts.newer[0]}"
        fix = f"if they may be lost, add --allow-loss bucket:{facts.bucket}; else move them away"
        return {STACK: Blocked(Problem("restore-files-newer", message, facts.bucket, fix), refused=True)}
    surplus = facts.gap.surplus if facts.named else ()
    if facts.gap.missing or surplus:
        dropped = f", delete {len(surplus)} that are not in the backup" if surplus else ""
        change = f"copy {counted(len(facts.gap.missing), 'object')} back, {human(facts.gap.bytes)}{dropped}"
        return {STACK: Todo(change, fingerprint(ListingDifference(facts.gap.missing, surplus)))}
    return {STACK: Done(f"{facts.bucket} has {counted(facts.count, 'object')} back")}


def apply(tools: Tools, _todos: Mapping[Subject, Todo]) -> None:
    """The listing is read again."""
    facts, bucket = observe(tools), tools.stack.bucket or ""
    if facts.newer or facts.foreign:  # written since it was decided: decided on again
        return
    copy_all(
        tools.buckets,
        facts.gap.missing,
        lambda key: (bucket, key),
        tools.manifest.bucket,
        monotonic=tools.monotonic,
        say=lambda text: tools.say("files-returned", text),
    )
    if facts.named:
        tools.buckets.delete(bucket, ((key, "") for key in facts.gap.surplus))


STEP: Step[Tools, FilesReturnedFacts] = Step(
    id="files-returned",
    title="every object is back",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
    whole=True,
    timeout=24 * 3600,
)
