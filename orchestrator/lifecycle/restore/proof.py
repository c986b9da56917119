"""`proof`: the same rows, the same objects, the same documents as in the backup. Read before any service runs again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.database.inventory import inventory_of_each
from orchestrator.engine.step import STACK, Blocked, Done, Step, Unread, Verdict, Verdicts, nothing_to_apply
from orchestrator.engine.subjects import attempt
from orchestrator.errors import Problem, counted
from orchestrator.index import contents
from orchestrator.index.provider import AT_ONCE
from orchestrator.index.report import Contents
from orchestrator.lifecycle.freshness import as_parts
from orchestrator.lifecycle.manifest import FilesPart, IndexPart, Manifest, TablePart
from orchestrator.lifecycle.restore.method import INDEXES
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import relative
from orchestrator.lifecycle.verify import listing
from orchestrator.stack.indexes import KINDS, kind_in, tenant_in

SHOWN = 5
"""Tables that are named, of those that differ."""

Tables = Mapping[str, TablePart]


@dataclass(frozen=True, slots=True)
class Files:
    """The stack's objects: their number, the digest of keys and sizes, and the hashes of the sampled ones."""

    count: int
    listing: str
    hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProofFacts:
    """What is there after the restore, by tenant; `contents` by the index's word."""

    manifest: Manifest
    tables: Mapping[str, Tables] = field(default_factory=dict)
    contents: Mapping[str, Contents] = field(default_factory=dict)
    files: Files | None = None
    indexes: frozenset[str] = frozenset(KINDS)
    """The kinds of index that came back."""
    unread: Mapping[str, Unread] = field(default_factory=dict)
    """Tenants whose database or index can't be read."""


def observe(tools: Tools) -> ProofFacts:
    """Every row, every document, a listing and the sampled objects."""
    mine = [one for one in tools.wanted if one.tenant in tools.manifest.tenants]
    read = inventory_of_each(tools.database, mine)
    tables = {name: as_parts(found) for name, found in read.results.items()}
    kept = {word: one for word, one in tools.manifest.indexes.items() if kind_in(word) in tools.indexes}
    mine_kept = {one.word: one for one in tools.stack.indexes if one.word in kept}
    counted = attempt(mine_kept, lambda word: contents(tools.ssm, mine_kept[word]), at_once=AT_ONCE)
    uncounted = {mine_kept[word].tenant: error for word, error in counted.failures.items()}
    unread = Unread.each({**read.failures, **uncounted})
    return ProofFacts(tools.manifest, tables, counted.results, _files(tools), tools.indexes, unread)


def _files(tools: Tools) -> Files | None:
    bucket, files = tools.stack.bucket, tools.manifest.files
    if not bucket or files is None:
        return None
    found = relative(tools.buckets.objects(bucket), "")
    hashes = {key: tools.buckets.sha256(bucket, key) for key in files.samples}
    return Files(len(found), listing(found.values(), ""), hashes)


def decide(facts: ProofFacts) -> Verdicts:
    """Per tenant its database and index; the files are the stack's."""
    found: dict[str, Verdict] = {STACK: _of_files(facts.manifest.files, facts.files)}
    for name, tenant in facts.manifest.tenants.items():
        if name in facts.unread:
            found[name] = facts.unread[name].verdict
            continue
        wrong = list(_differences(name, tenant.tables, facts))
        rows = sum(table.rows for table in tenant.tables.values())
        kept = [one.documents for _, one in _kept(name, facts) if one.documents is not None]
        documents = f", {counted(max(kept), 'document')}" if kept else ", no index"
        found[name] = (
            _blocked(name, wrong)
            if wrong
            else Done(f"identical: {counted(rows, 'row')} in {counted(len(tenant.tables), 'table')}{documents}")
        )
    return found


def _differences(name: str, tables: Tables, facts: ProofFacts) -> Iterator[str]:
    if facts.manifest.quiet:
        yield from different_tables(tables, facts.tables.get(name, {}))
    for word, kept in _kept(name, facts):
        if word in facts.contents:
            yield from _documents(kept, facts.contents[word])


def _kept(name: str, facts: ProofFacts) -> list[tuple[str, IndexPart]]:
    """The tenant's indexes in the backup, by their words; none where they do not come back."""
    held = facts.manifest.indexes.items()
    return [(word, one) for word, one in held if tenant_in(word) == name and kind_in(word) in facts.indexes]


def different_tables(kept: Tables, found: Tables) -> Iterator[str]:
    """In words, table by table: how what is found differs from what was kept."""
    wrong = sorted(name for name in kept.keys() | found.keys() if kept.get(name) != found.get(name))
    for name in wrong[:SHOWN]:
        before, after = kept.get(name), found.get(name)
        if before is None or after is None:
            yield f"table {name} {'is new' if before is None else 'is missing'}"
        elif before.rows != after.rows:
            yield f"table {name} has {counted(after.rows, 'row')}, not {before.rows}"
        else:
            yield f"table {name} has different contents"
    if len(wrong) > SHOWN:
        yield f"{len(wrong) - SHOWN} more tables differ"


def _documents(kept: IndexPart, found: Contents) -> Iterator[str]:
    if kept.documents is not None and kept.documents != found.documents:
        yield f"the index has {counted(found.documents, 'document')}, not {kept.documents}"
    elif kept.digest and found.digest and kept.digest != found.digest:
        yield "the index has different documents"


def _of_files(kept: FilesPart | None, found: Files | None) -> Verdict:
    if kept is None or found is None:
        return Done("the backup has no files")
    wrong = sorted(key for key, digest in kept.samples.items() if found.hashes.get(key) != digest)
    if found.listing != kept.listing:
        return _blocked(
            STACK, [f"found {counted(found.count, 'object')}; the backup had {kept.count}, or their contents differ"]
        )
    if wrong:
        return _blocked(STACK, [f"{key} has different contents" for key in wrong[:SHOWN]])
    return Done(f"identical: {counted(found.count, 'object')}")


def _blocked(name: str, wrong: list[str]) -> Blocked:
    fix = (
        "nothing runs yet: look into it, then run the command again; to continue anyway, set the services' counts by "
        "hand, then `orchestrate run`"
    )
    return Blocked(Problem("restore-differs", "; ".join(wrong), name, fix))


def findings(facts: ProofFacts) -> Iterable[Problem]:
    """What this proof can't say."""
    if not facts.manifest.quiet:
        message = "the backup was taken while services ran: the databases' figures are not compared"
        yield Problem(
            "proof-without-databases", message, facts.manifest.id, "none needed: this is for your information"
        )
    fix = "have Onyx re-index: admin panel, connectors, re-index"
    if lost := facts.manifest.without_index:
        message = f"no index of {', '.join(lost)} was in the backup"
        yield Problem("index-to-be-made-again", message, "", fix)
    for kind, parts in facts.manifest.indexes_by_kind.items():
        if parts and kind not in facts.indexes:
            why = f"Terraform takes no {INDEXES[kind]}"
            message = f"no index of {', '.join(sorted(parts))} could be brought back: {why}"
            yield Problem("index-to-be-made-again", message, "", fix)


STEP: Step[Tools, ProofFacts] = Step(
    id="proof",
    title="everything is as it was",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    needs=("tenant-databases", "files-returned", "keys-returned"),
    timeout=3 * 3600,
    findings=findings,
)
