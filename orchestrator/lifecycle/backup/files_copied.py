"""`files-copied`: every object of the stack's bucket is in the backup's, copied on S3's side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdicts
from orchestrator.errors import Problem, counted
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import ListingDifference, copy_all, gap, human, relative

NOTHING = ListingDifference()


@dataclass(frozen=True, slots=True)
class FilesCopiedFacts:
    """What is still to be done; `bucket` empty: the stack has none."""

    bucket: str
    there: bool = True
    gap: ListingDifference = NOTHING
    count: int = 0
    bytes: int = 0


def observe(tools: Tools) -> FilesCopiedFacts:
    """Both listings: a call for each 1000 objects."""
    bucket = tools.stack.bucket or ""
    if not bucket or not tools.buckets.state(bucket).there:
        return FilesCopiedFacts(bucket, there=not bucket)
    source = relative(tools.buckets.objects(bucket), "")
    target = relative(tools.buckets.objects(tools.vault.bucket, tools.manifest.prefix), tools.manifest.prefix)
    return FilesCopiedFacts(bucket, True, gap(source, target), len(source), sum(one.size for one in source.values()))


def decide(facts: FilesCopiedFacts) -> Verdicts:
    """Copy what is missing, drop what the stack's bucket no longer has."""
    if not facts.bucket:
        return {STACK: Done("the stack has no bucket")}
    if not facts.there:
        fix = "check `bucket` in the contract; was it deleted by hand?"
        return {STACK: Blocked(Problem("bucket-missing", f"there is no bucket {facts.bucket}", facts.bucket, fix))}
    missing, surplus = len(facts.gap.missing), len(facts.gap.surplus)
    if missing or surplus:
        dropped = f", drop {surplus} that were deleted" if surplus else ""
        return {
            STACK: Todo(f"copy {counted(missing, 'object')}, {human(facts.gap.bytes)}{dropped}", fingerprint(facts.gap))
        }
    return {STACK: Done(f"{counted(facts.count, 'object')}, {human(facts.bytes)}")}


def fingerprint(work: ListingDifference) -> str:
    """Of the work: other work is another change."""
    text = "\n".join([*(f"{key} {one.etag} {one.size}" for key, one in work.missing.items()), *work.surplus])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def apply(tools: Tools, _todos: Mapping[Subject, Todo]) -> None:
    """The listing is read again: between the look and now it may have changed."""
    work, prefix, vault = observe(tools).gap, tools.manifest.prefix, tools.vault.bucket
    copy_all(
        tools.buckets,
        work.missing,
        lambda key: (vault, prefix + key),
        tools.stack.bucket or "",
        monotonic=tools.monotonic,
        say=lambda text: tools.say("files-copied", text),
    )
    tools.buckets.delete(vault, ((prefix + key, "") for key in work.surplus))


STEP: Step[Tools, FilesCopiedFacts] = Step(
    id="files-copied",
    title="every object is in the backup",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("backup-place", "services-at-zero"),
    whole=True,
    timeout=24 * 3600,
)
