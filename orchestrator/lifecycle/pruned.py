"""`backups-pruned`: only the newest good backups are kept; of the others nothing is left that costs money.

A backup is kept beyond that where every newer one that stays has nothing of what it holds: somebody emptied a bucket,
an index was lost, and the backups since then are of what was left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.aws.buckets import Buckets
from orchestrator.aws.keys import Keys
from orchestrator.aws.snapshots import Snapshots
from orchestrator.aws.volumes import Volumes
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts
from orchestrator.errors import Problem
from orchestrator.lifecycle.backup.database_snapshot import name_of
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.vault import TAG, Vault, tags_of


@dataclass(frozen=True)
class BackupsPrunedContext:
    """What is kept (how many), and what deletes."""

    keep: int
    stack: str
    vault: Vault
    buckets: Buckets
    snapshots: Snapshots
    volumes: Volumes
    keys: Keys


@dataclass(frozen=True, slots=True)
class BackupsPrunedFacts:
    """The stack's backups, the newest first."""

    keep: int
    manifests: tuple[Manifest, ...]


def observe(context: BackupsPrunedContext) -> BackupsPrunedFacts:
    """Every manifest of the stack."""
    mine = tuple(one for one in context.vault.manifests() if one.stack == context.stack)
    return BackupsPrunedFacts(context.keep, mine)


def decide(facts: BackupsPrunedFacts) -> Verdicts:
    """One backup at a time, the oldest first."""
    old = superfluous(facts.manifests, facts.keep)
    if old:
        return {STACK: Todo(f"delete backup {old[-1].id} ({old[-1].state})", old[-1].id)}
    return {STACK: Done(f"{len(facts.manifests)} kept")}


def superfluous(manifests: Sequence[Manifest], keep: int) -> tuple[Manifest, ...]:
    """Pure: those older than the newest `keep` (at least 1) complete ones, but for `irreplaceable` ones.

    Without a complete one nothing goes.
    """
    newest = _newest(manifests, keep)
    lone = {one.id for one, _ in irreplaceable(manifests, keep)}
    return tuple(one for one in manifests if newest and one.id < newest[-1].id and one.id not in lone)


def irreplaceable(manifests: Sequence[Manifest], keep: int) -> Sequence[tuple[Manifest, tuple[str, ...]]]:
    """Older complete ones, and what they hold of which all that are newer and stay counted nothing. Pure.

    What the newer ones say nothing of doesn't count: a tenant that was taken out of the stack, for one.
    """
    stay = list(_newest(manifests, keep))
    found = []
    for one in (it for it in manifests if stay and it.complete and it.id < stay[-1].id):
        lost = tuple(what for what, number in one.holdings.items() if number and _is_empty_in(what, stay))
        if lost:
            found.append((one, lost))
            stay.append(one)
    return found


def _newest(manifests: Sequence[Manifest], keep: int) -> Sequence[Manifest]:
    return [one for one in manifests if one.complete][: max(1, keep)]


def _is_empty_in(what: str, some: Sequence[Manifest]) -> bool:
    counted = [one.holdings[what] for one in some if what in one.holdings]
    return bool(counted) and not any(counted)


def findings(facts: BackupsPrunedFacts) -> Iterable[Problem]:
    """What stays although it is old."""
    for one, lost in irreplaceable(facts.manifests, facts.keep):
        message = f"backup {one.id} is kept: no newer one holds any {' or '.join(lost)}"
        fix = (
            f"find out what happened to them, and bring them back (`orchestrate restore {one.id}`); if nobody needs "
            "them, "
        )
        fix += f"delete {one.place.rpartition('/')[0]}/ and the snapshots tagged {TAG}={one.id} by hand"
        yield Problem("backup-irreplaceable", message, one.id, fix)


def apply(context: BackupsPrunedContext, todos: Mapping[Subject, Todo]) -> None:
    """Snapshots, copied secrets and objects, the manifest last: interrupted, the next run finds it again.

    A manifest is a file that others may write: snapshots and secrets go only where their own tags say that this very
    backup made them.
    """
    manifest = context.vault.get(todos[STACK].payload)
    if manifest.stack != context.stack:  # another one's since it was looked at
        return
    tags = tags_of(manifest)
    snapshot = context.snapshots.find(name_of(manifest))
    if snapshot.status and tags.items() <= snapshot.tags.items():
        context.snapshots.delete(snapshot.name)
    for one in context.volumes.snapshots(tags):
        context.volumes.delete(one.id)
    for tenant in manifest.tenants.values():
        for key in tenant.keys:
            if not key.outside and context.keys.bears(key.kept, tags):
                context.keys.forget(key.kept)
    bucket = context.vault.bucket
    context.buckets.delete(bucket, context.buckets.versions(bucket, manifest.prefix))
    context.buckets.delete(bucket, context.buckets.versions(bucket, manifest.dumps_prefix))
    context.buckets.delete(bucket, context.buckets.versions(bucket, manifest.key))


STEP: Step[BackupsPrunedContext, BackupsPrunedFacts] = Step(
    id="backups-pruned",
    title="only the newest backups are kept",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=3600,
    findings=findings,
)
