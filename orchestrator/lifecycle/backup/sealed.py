"""`backup-sealed`: the manifest is complete. Everything in it is read from what the other steps have left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.aws.keys import Key
from orchestrator.aws.volumes import VolumeSnapshot
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdicts
from orchestrator.errors import Problem, counted
from orchestrator.lifecycle.backup import index_snapshots
from orchestrator.lifecycle.backup.database_snapshot import name_of
from orchestrator.lifecycle.backup.index_snapshots import DIGEST_TAG, DOCUMENTS_TAG, kind_of
from orchestrator.lifecycle.manifest import (
    FAR_APART,
    DatabasePart,
    FilesPart,
    IndexPart,
    KeyPart,
    Manifest,
    TablePart,
    TenantPart,
)
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import human, relative
from orchestrator.lifecycle.vault import TENANT_TAG
from orchestrator.lifecycle.verify import listing, sample
from orchestrator.stack.indexes import OPENSEARCH, VESPA


@dataclass(frozen=True, slots=True)
class BackupSealedFacts:
    """The manifest as it stands in the bucket."""

    manifest: Manifest


def observe(tools: Tools) -> BackupSealedFacts:
    """One call."""
    return BackupSealedFacts(tools.vault.get(tools.manifest.id))


def decide(facts: BackupSealedFacts) -> Verdicts:
    """Complete, or to be completed."""
    manifest = facts.manifest
    if not manifest.complete:
        return {STACK: Todo("write down what the backup holds", manifest.id)}
    size = human(manifest.files.bytes) if manifest.files else "no files"
    return {STACK: Done(f"{manifest.place} ({counted(len(manifest.tenants), 'tenant')}, {size})")}


def apply(tools: Tools, _todos: Mapping[Subject, Todo]) -> None:
    """Compose and write it."""
    tools.vault.put(composed(tools))


def findings(facts: BackupSealedFacts) -> Iterable[Problem]:
    """What whoever relies on it should know."""
    for warning in facts.manifest.warnings:
        yield Problem("backup-warning", warning, facts.manifest.id, "see docs/how-to/back-up-destroy-restore.md")


def composed(tools: Tools) -> Manifest:
    """The whole manifest."""
    begun = tools.vault.get(tools.manifest.id)
    database, files = _database(tools), _files(tools)
    finished = tools.now().isoformat(timespec="seconds")
    manifest = begun.model_copy(
        update={
            "state": "complete",
            "finished": finished,
            "load_balancer": tools.stack.load_balancer.dns_name,
            "database": database,
            "files": files,
            "index": _indexes(tools, VESPA),
            "opensearch": _indexes(tools, OPENSEARCH),
            "tenants": _tenants(tools, begun),
            "dumps": None if begun.dumps is None else dict(tools.memory.dumps),
        }
    )
    return manifest.model_copy(update={"warnings": list(warnings(manifest))})


def _database(tools: Tools) -> DatabasePart | None:
    seen = tools.snapshots.find(name_of(tools.manifest))
    if not seen.status and tools.manifest.dumps is not None:
        return None  # of a server that isn't the stack's own: dumps hold its databases
    return DatabasePart(
        instance=seen.instance,
        snapshot=seen.name,
        arn=seen.arn,
        size=seen.size,
        encrypted=seen.encrypted,
        engine=seen.engine,
        taken=seen.taken,
    )


def _files(tools: Tools) -> FilesPart | None:
    if not tools.stack.bucket:
        return None
    prefix = tools.manifest.prefix
    found = relative(tools.buckets.objects(tools.vault.bucket, prefix), prefix)
    chosen = sample(found, tools.manifest.id)
    return FilesPart(
        source=tools.stack.bucket,
        prefix=prefix,
        count=len(found),
        bytes=sum(one.size for one in found.values()),
        listing=listing(found.values(), prefix),
        # Of the originals: that the copies are the same is for the verification to find.
        samples={key: digest for key in chosen if (digest := tools.buckets.sha256(tools.stack.bucket, key))},
        taken=tools.now().isoformat(timespec="seconds"),
    )


def _indexes(tools: Tools, kind: str) -> dict[str, IndexPart]:
    taken = tools.volumes.snapshots(tools.tags)
    return {one.tags[TENANT_TAG]: _index(one) for one in taken if TENANT_TAG in one.tags and kind_of(one) == kind}


def _index(one: VolumeSnapshot) -> IndexPart:
    documents = one.tags.get(DOCUMENTS_TAG, "")
    return IndexPart(
        volume=one.volume,
        snapshot=one.id,
        size=one.size,
        encrypted=one.encrypted,
        taken=one.taken,
        documents=int(documents) if documents else None,
        digest=one.tags.get(DIGEST_TAG, ""),
    )


def _tenants(tools: Tools, begun: Manifest) -> dict[str, TenantPart]:
    records = tools.records()
    return {
        name: _tenant(tools, name, begun.desired.get(name, 1), records.get(tenant.hostname, ""))
        for name, tenant in tools.stack.tenants.items()
    }


def _tenant(tools: Tools, name: str, desired: int, record: str) -> TenantPart:
    tenant, found = tools.stack.tenants[name], tools.memory.inventories[name]
    return TenantPart(
        desired=desired,
        hostname=tenant.hostname,
        record=record,
        database=tenant.database,
        bytes=found.bytes,
        tables={table: TablePart(rows=it.rows, digest=it.digest) for table, it in found.tables.items()},
        settings={table: [dict(row) for row in rows] for table, rows in found.settings.items()},
        keys=_keys(tools, name),
    )


def _keys(tools: Tools, tenant: str) -> list[KeyPart]:
    services = tools.ecs.services([one.name for one in tools.stack.tenants[tenant].services(tenant)])
    found: dict[str, Key] = {}
    for service in services.values():
        if service.primary is not None:
            known = tools.keys.of(service.primary.task_definition, tools.stack.stack, tools.goes)
            found = {key.variable: key for key in known} | found
    return [_kept(tools, tenant, key) for key in found.values()]


def _kept(tools: Tools, tenant: str, key: Key) -> KeyPart:
    if key.outside:
        return KeyPart(variable=key.variable, kept=key.source, outside=True)
    name = f"{tools.vault.bucket}/{tools.manifest.id}/{tenant}/{key.variable}"
    copy = tools.keys.keep(key.source, name, tools.tags, tools.goes)
    return KeyPart(variable=key.variable, kept=copy, outside=False)


def warnings(manifest: Manifest) -> Iterator[str]:
    """What whoever restores from it must know. Pure."""
    if not manifest.quiet:
        yield (
            "the services were running: database, files and index are not from the same moment, and the databases' "
            "row counts may be slightly off"
        )
    parts = [
        part.taken for part in (manifest.database, manifest.files, *manifest.indexes.values()) if part and part.taken
    ]
    times = sorted(datetime.fromisoformat(one) for one in parts)
    if len(times) > 1 and (apart := (times[-1] - times[0]).total_seconds()) > FAR_APART:
        yield f"the first and the last part were taken {counted(round(apart / 60), 'minute')} apart"
    if manifest.database and not manifest.database.encrypted:
        yield "the database's snapshot is not encrypted, like its instance"
    for name, tenant in manifest.tenants.items():
        for key in tenant.keys:
            if not key.kept:
                yield (
                    f"{key.variable} of {name} is in plain text in its task definition: it is not backed up; keep it "
                    "yourself"
                )
    if lost := manifest.without_index:
        yield f"it has no index of {', '.join(lost)}: documents must be indexed again after a restore"


STEP: Step[Tools, BackupSealedFacts] = Step(
    id="backup-sealed",
    title="the manifest is complete",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("database-snapshot", *(one.id for one in index_snapshots.STEPS), "files-copied", "contents-read"),
    whole=True,
    timeout=1800,
    findings=findings,
)
