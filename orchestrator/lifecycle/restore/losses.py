"""What a restore onto a stack that lives would lose: what is there now and not in the backup. `losses` is pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.consequences import Consequence, Effect
from orchestrator.database.inventory import inventory_of_each
from orchestrator.database.model import unowned
from orchestrator.engine.check import Severity
from orchestrator.engine.subjects import attempt
from orchestrator.errors import OrchestratorError, counted
from orchestrator.index import contents
from orchestrator.index.provider import AT_ONCE
from orchestrator.index.report import Contents
from orchestrator.lifecycle.freshness import as_parts
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.restore.method import RestoreMethod
from orchestrator.lifecycle.restore.proof import Tables, different_tables
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import ListingDifference, gap, human, relative
from orchestrator.stack.contract import Stack

SNAPSHOTS = RestoreMethod()


@dataclass(frozen=True, slots=True)
class Present:
    """What a stack holds now. None: it can't be read, and may be anything; so may an index's absent `contents`.

    `tables` are by tenant, `contents` by the index's word (`vespa:TENANT`), `strangers` databases that are no tenant's,
    `unsaved` objects that are newer than the backup's, or not in it.
    """

    tables: Mapping[str, Tables | None] | None = None
    strangers: tuple[str, ...] = ()
    contents: Mapping[str, Contents] = field(default_factory=dict)
    unsaved: ListingDifference = field(default_factory=ListingDifference)


def look(tools: Tools) -> Present:
    """Every row and every document; a part that doesn't answer does not keep the others from being looked at."""
    return Present(*_databases(tools), _contents(tools), _unsaved(tools))


def _databases(tools: Tools) -> tuple[Mapping[str, Tables | None] | None, tuple[str, ...]]:
    if not tools.stack.database.elsewhere and not tools.rds.server(tools.stack.database.server).status:
        return {}, ()
    try:
        seen = tools.database.observe(tools.wanted)
        there = [one for one in tools.wanted if one.database in seen.databases]
        found = inventory_of_each(tools.database, there)
    except OrchestratorError:
        return None, ()
    read: dict[str, Tables | None] = {name: as_parts(one) for name, one in found.results.items()}
    return read | dict.fromkeys(found.failures), unowned(tools.wanted, seen)


def _contents(tools: Tools) -> Mapping[str, Contents]:
    there = {one.word: one for one in tools.stack.indexes}
    return attempt(there, lambda word: contents(tools.ssm, there[word]), at_once=AT_ONCE).results


def _unsaved(tools: Tools) -> ListingDifference:
    bucket, files = tools.stack.bucket or "", tools.manifest.files
    if not bucket or files is None or not tools.buckets.state(bucket).there:
        return ListingDifference()
    kept = relative(tools.buckets.objects(tools.manifest.bucket, files.prefix), files.prefix)
    return gap(relative(tools.buckets.objects(bucket), ""), kept)


def losses(
    manifest: Manifest, stack: Stack, present: Present, way: RestoreMethod = SNAPSHOTS
) -> tuple[Consequence, ...]:
    """Each is refused unless it is named, also where what is there is as in the backup: that may change any moment."""
    return (
        *_of_databases(manifest, stack, present, loads=way.loads),
        *_of_indexes(manifest, stack, present, way.indexes),
        *_of_files(stack, present),
    )


def _of_databases(manifest: Manifest, stack: Stack, present: Present, *, loads: bool) -> Iterator[Consequence]:
    """With the server all that is in it; by loading dumps only what they are of."""
    for name, tenant in stack.tenants.items():
        held = None if present.tables is None else present.tables.get(name, {})
        kept = manifest.tenants.get(name)
        if held == {} or (loads and kept is None):
            continue
        changes = _changes(kept.tables if kept else None, held)
        says = f"database {tenant.database} goes back to backup {manifest.id}: {changes}"
        yield _loss(f"database:{tenant.database}", says, name)
    for database in () if loads else present.strangers:
        yield _loss(f"database:{database}", f"database {database} belongs to no tenant here, and is in no backup")


def _changes(kept: Tables | None, held: Tables | None) -> str:
    if held is None:
        return "it can't be read, so everything written since is lost"
    rows = sum(one.rows for one in held.values())
    if kept is None:
        lost = f"{counted(rows, 'row')} in {counted(len(held), 'table')}"
        return f"the backup has nothing of this tenant, so it loses {lost}"
    wrong = list(different_tables(kept, held))
    return f"now {'; '.join(wrong)}" if wrong else f"unchanged since the backup: {counted(rows, 'row')}"


def _of_indexes(manifest: Manifest, stack: Stack, present: Present, kinds: Collection[str]) -> Iterator[Consequence]:
    for one in stack.indexes:
        if one.kind not in kinds:
            continue
        kept, held = manifest.indexes.get(one.word), present.contents.get(one.word)
        if kept is None or (held is not None and not held.documents):
            continue
        number = "an unknown number of" if held is None else held.documents
        says = (
            f"the search index goes back to {manifest.id}: it has {number} documents now and will have {kept.documents}"
        )
        yield _loss(one.word, says, one.tenant)


def _of_files(stack: Stack, present: Present) -> Iterator[Consequence]:
    if missing := present.unsaved.missing:
        shown = ", ".join(sorted(missing)[:3])
        objects = f"{counted(len(missing), 'object')} ({human(present.unsaved.bytes)})"
        says = f"{objects} newer than the backup or not in it: {shown}"
        yield _loss(f"bucket:{stack.bucket}", says, then="they are replaced or deleted; the bucket's versions stay")


def _loss(name: str, says: str, subject: str = "", then: str = "the proof at the end compares it") -> Consequence:
    return Consequence(
        code="restored-over",
        effect=Effect.LOSS,
        name=name,
        says=says,
        why="the restore replaces it with the backup",
        then=then,
        subject=subject,
        severity=Severity.BLOCKER,
    )


def together(planned: Iterable[Consequence], ours: Iterable[Consequence]) -> tuple[Consequence, ...]:
    """What the plan leads to and what the restore does: each thing once, in figures where there are any."""
    told = {one.name: one for one in ours}
    both = [replace(told.pop(one.name), address=one.address) if one.name in told else one for one in planned]
    return (*told.values(), *both)
