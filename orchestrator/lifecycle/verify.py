"""Whether a backup is whole and can be restored from: what was written down against what is there. `judge` is pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.buckets import Buckets, Stored
from orchestrator.aws.snapshots import DbSnapshot, Snapshots
from orchestrator.aws.volumes import Volumes, VolumeSnapshot
from orchestrator.errors import Problem, counted
from orchestrator.lifecycle.manifest import DatabasePart, DumpPart, FilesPart, IndexPart, Manifest
from orchestrator.lifecycle.transfer import human, relative

SAMPLES = 20
"""Objects whose every byte is read."""
LARGEST_SAMPLE = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class FoundBackup:
    """What there is of a backup now. `objects` by their keys without prefix; `hashes` of the sampled ones.

    `dumps`: key → bytes.
    """

    snapshot: DbSnapshot | None = None
    volumes: Mapping[str, VolumeSnapshot] = field(default_factory=dict)
    objects: Mapping[str, Stored] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    dumps: Mapping[str, int] = field(default_factory=dict)


def look(manifest: Manifest, snapshots: Snapshots, volumes: Volumes, objects: Buckets) -> FoundBackup:
    """Read all that the manifest names."""
    files = manifest.files
    found = relative(objects.objects(manifest.bucket, files.prefix), files.prefix) if files else {}
    return FoundBackup(
        snapshot=snapshots.find(manifest.database.snapshot) if manifest.database else None,
        volumes=volumes.find([part.snapshot for part in manifest.indexes.values()]),
        objects=found,
        dumps={one.key: one.size for one in objects.objects(manifest.bucket, manifest.dumps_prefix)}
        if manifest.dumps
        else {},
        hashes={key: objects.sha256(manifest.bucket, files.prefix + key) for key in files.samples} if files else {},
    )


def judge(manifest: Manifest, seen: FoundBackup) -> tuple[Problem, ...]:
    """Everything that is wrong; empty: it is good."""
    if not manifest.complete:
        fix = "run `orchestrate backup` again: it continues this one"
        return (Problem("backup-incomplete", f"backup {manifest.id} was never finished", manifest.place, fix),)
    found: list[Problem] = []
    if manifest.database:
        found += _database(manifest.database, seen.snapshot)
    if manifest.files:
        found += _files(manifest.files, seen)
    for name, part in manifest.indexes.items():
        found += _index(name.partition(":")[2], part, seen.volumes.get(part.snapshot))
    for tenant, dump in (manifest.dumps or {}).items():
        found += _dump(tenant, dump, seen.dumps.get(dump.key))
    return tuple(found)


def _dump(tenant: str, part: DumpPart, size: int | None) -> Iterator[Problem]:
    """Its bytes are compared by their digest before it is loaded."""
    if size != part.bytes:
        fix = "S3 keeps versions in the backup's bucket: restore it from an older version, or take another backup"
        there = "is missing" if size is None else f"has {size} bytes, not {part.bytes}"
        yield Problem("backup-dump-differs", f"{part.key} {there}", tenant, fix)


def _database(part: DatabasePart, snapshot: DbSnapshot | None) -> Iterator[Problem]:
    fix = "take another backup; if the stack is gone, restore from an older one (`orchestrate backup --list`)"
    if snapshot is None or not snapshot.status:
        yield Problem("backup-snapshot-missing", f"there is no snapshot {part.snapshot}", part.snapshot, fix)
    elif snapshot.status != "available":
        yield Problem("backup-snapshot-unusable", f"{part.snapshot} is {snapshot.status}", part.snapshot, fix)
    elif (snapshot.size, snapshot.encrypted) != (part.size, part.encrypted):
        message = (
            f"{part.snapshot} has {snapshot.size} GiB, encrypted: {snapshot.encrypted}; the manifest says otherwise"
        )
        yield Problem("backup-snapshot-differs", message, part.snapshot, fix)


def _files(part: FilesPart, seen: FoundBackup) -> Iterator[Problem]:
    fix = "S3 keeps versions in the backup's bucket: restore them from an older version, or take another backup"
    size = sum(one.size for one in seen.objects.values())
    if (len(seen.objects), size) != (part.count, part.bytes):
        message = (
            f"found {counted(len(seen.objects), 'object')} with {human(size)}, but the manifest says {part.count} with "
            f"{human(part.bytes)}"
        )
        yield Problem("backup-objects-differ", message, part.prefix, fix)
    elif listing(seen.objects.values(), part.prefix) != part.listing:
        yield Problem(
            "backup-objects-differ", "the objects in the bucket are not those that the manifest lists", part.prefix, fix
        )
    wrong = sorted(key for key, expected in part.samples.items() if seen.hashes.get(key) != expected)
    for key in wrong:
        yield Problem("backup-object-damaged", f"{key} has changed since the backup", part.prefix + key, fix)


def _index(tenant: str, part: IndexPart, snapshot: VolumeSnapshot | None) -> Iterator[Problem]:
    fix = "take another backup, or restore without the index and have Onyx re-index"
    if snapshot is None:
        yield Problem("backup-index-missing", f"there is no snapshot {part.snapshot}", tenant, fix)
    elif snapshot.status != "completed":
        yield Problem("backup-index-unusable", f"{part.snapshot} is {snapshot.status}", tenant, fix)


def listing(found: Iterable[Stored], prefix: str) -> str:
    """SHA-256 of all keys and sizes, in order."""
    lines = sorted(f"{one.key.removeprefix(prefix)}\t{one.size}\n" for one in found)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def sample(found: Mapping[str, Stored], seed: str) -> list[str]:
    """Keys whose contents are compared byte by byte: chosen by the backup's id, so that nobody can prefer some."""
    small = [key for key, one in found.items() if one.size <= LARGEST_SAMPLE]
    return sorted(small, key=lambda key: hashlib.sha256(f"{seed} {key}".encode()).digest())[:SAMPLES]
