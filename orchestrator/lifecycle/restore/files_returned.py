"""`files-returned`: every object of the backup is in the stack's bucket, copied on S3's side.

It only adds: an object of the stack's own is never deleted or replaced by an older one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdicts
from orchestrator.errors import Problem
from orchestrator.lifecycle.backup.files_copied import fingerprint
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import Gap, copy_all, gap, human, relative


@dataclass(frozen=True, slots=True)
class Facts:
    """What is still to be copied; `kept`: the backup has files."""

    bucket: str
    kept: bool
    gap: Gap
    count: int = 0


def observe(tools: Tools) -> Facts:
    """Both listings."""
    bucket, files = tools.stack.bucket or "", tools.manifest.files
    if not bucket or files is None:
        return Facts(bucket, files is not None, Gap())
    source = relative(tools.buckets.objects(tools.manifest.bucket, files.prefix), files.prefix)
    target = relative(tools.buckets.objects(bucket), "")
    return Facts(bucket, True, gap(source, target), len(source))


def decide(facts: Facts) -> Verdicts:
    """Copy what is missing."""
    if not facts.kept:
        return {STACK: Done("the backup has no files")}
    if not facts.bucket:
        fix = "give the stack a bucket (`bucket` in the contract)"
        return {STACK: Blocked(Problem("bucket-missing", "the backup has files, the stack no bucket", "", fix))}
    if work := facts.gap.missing:
        change = f"copy {len(work)} objects back, {human(facts.gap.bytes)}"
        return {STACK: Todo(change, fingerprint(Gap(work)))}
    return {STACK: Done(f"{facts.count} objects are back in {facts.bucket}")}


def apply(tools: Tools, _todos: Mapping[Subject, Todo]) -> None:
    """The listing is read again."""
    bucket = tools.stack.bucket or ""
    copy_all(
        tools.buckets,
        observe(tools).gap.missing,
        lambda key: (bucket, key),
        tools.manifest.bucket,
        monotonic=tools.monotonic,
        say=lambda text: tools.say("files-returned", text),
    )


STEP: Step[Tools, Facts] = Step(
    id="files-returned",
    title="every object is back",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
    timeout=24 * 3600,
)
