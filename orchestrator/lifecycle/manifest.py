"""A backup's manifest: what was kept, where, how much of it, as of when. JSON, schema 1, with a checksum of its own.

It begins as `in-progress`, with what can't be observed again (the desired counts, the contract); everything else is
observed and added at the end, when it becomes `complete`. It holds no secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator import __version__
from orchestrator.errors import Invalid, Problem
from orchestrator.stack import patterns
from orchestrator.stack.contract import Stack
from orchestrator.stack.indexes import OPENSEARCH, VESPA, tenant_in, word
from orchestrator.stack.ownership import Known, Ownership, Part, PartKind, part

SCHEMA = 1
NAME = "manifest.json"
FAR_APART = 15 * 60
"""Seconds between the first and the last part after which it is worth a warning."""


class _ManifestPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TablePart(_ManifestPart):
    """One table: its rows and their digest (database/inventory.py)."""

    rows: int
    digest: str


class DatabasePart(_ManifestPart):
    """The snapshot of the database server. `taken` is ISO 8601, `size` GiB."""

    instance: str
    snapshot: str
    arn: str
    size: int
    encrypted: bool
    engine: str
    taken: str


class FilesPart(_ManifestPart):
    """The copied objects. `listing` is the SHA-256 of all keys with their sizes; `samples` of some whole objects."""

    source: str
    prefix: str
    count: int
    bytes: int
    listing: str
    samples: dict[str, str]
    taken: str


class IndexPart(_ManifestPart):
    """One tenant's index. `documents` None: they were not counted. `digest` is empty when not all were read."""

    volume: str
    snapshot: str
    size: int
    encrypted: bool
    taken: str
    documents: int | None
    digest: str


class DumpPart(_ManifestPart):
    """One database as pg_dump wrote it (custom format), in the backup's bucket."""

    key: str
    bytes: int
    sha256: str


class KeyPart(_ManifestPart):
    """A secret that the data need (`variable`), where it is now, and whether that outlives the stack."""

    variable: str
    kept: str
    outside: bool


class TenantPart(_ManifestPart):
    """One tenant: how many tasks it had, what its database held, its name, its settings that are no secret."""

    desired: int
    hostname: str
    record: str
    database: str
    bytes: int
    tables: dict[str, TablePart]
    settings: dict[str, list[dict[str, Any]]]
    keys: list[KeyPart]


class Manifest(_ManifestPart):
    """The whole. `quiet`: the services were stopped all the while, so the parts are of one instant.

    `index` and `opensearch` are by tenant: Vespa's indexes, the only ones there were once, and OpenSearch's.
    `dumps` are by tenant; None: none were asked for. `foreign` are parts of the contract that weren't the stack's own
    (`ownership.word`).
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    id: str
    state: Literal["in-progress", "complete"]
    purpose: Literal["keep", "destroy"]
    quiet: bool
    stack: str
    account_id: str
    region: str
    bucket: str
    begun: str
    finished: str = ""
    version: str
    desired: dict[str, int]
    contract: dict[str, Any]
    load_balancer: str = ""
    database: DatabasePart | None = None
    files: FilesPart | None = None
    index: dict[str, IndexPart] = {}
    opensearch: dict[str, IndexPart] = {}
    tenants: dict[str, TenantPart] = {}
    dumps: dict[str, DumpPart] | None = None
    warnings: list[str] = []
    foreign: list[str] = []
    checksum: str = ""

    @property
    def complete(self) -> bool:
        """Everything is in it."""
        return self.state == "complete"

    @property
    def holdings(self) -> Mapping[str, int]:
        """How much it holds, as far as it was counted, by what: files, and of each tenant rows and documents."""
        found = {"files": self.files.count} if self.files else {}
        found |= {f"rows of {name}": sum(it.rows for it in one.tables.values()) for name, one in self.tenants.items()}
        for called, one in self.indexes.items():  # of two the fuller: the other may just be filled, or emptied
            what = f"documents of {tenant_in(called)}"
            if one.documents is not None:
                found[what] = max(one.documents, found.get(what, 0))
        return found

    @property
    def indexes_by_kind(self) -> Mapping[str, Mapping[str, IndexPart]]:
        """Its indexes by kind, then by tenant."""
        return {VESPA: self.index, OPENSEARCH: self.opensearch}

    @property
    def indexes(self) -> Mapping[str, IndexPart]:
        """Every index that it holds, by its word (`vespa:TENANT`)."""
        by_kind = self.indexes_by_kind.items()
        return {word(kind, tenant): one for kind, parts in by_kind for tenant, one in parts.items()}

    @property
    def without_index(self) -> Sequence[str]:
        """Tenants of whom it holds none."""
        return sorted(set(self.tenants) - {tenant_in(one) for one in self.indexes})

    @property
    def prefix(self) -> str:
        """Where its files are in the bucket."""
        return f"{self.id}/objects/"

    @property
    def dumps_prefix(self) -> str:
        """Where its dumps are in the bucket."""
        return f"{self.id}/dumps/"

    @property
    def key(self) -> str:
        """Its own place in the bucket."""
        return f"{self.id}/{NAME}"

    @property
    def place(self) -> str:
        """Its URL."""
        return f"s3://{self.bucket}/{self.key}"

    def stack_of(self) -> Stack:
        """The contract as it was, and what of it wasn't the stack's own."""
        known = Ownership(looked_up=dict.fromkeys(filter(None, map(part, self.foreign)), f"backup {self.id}"))
        return Stack.model_validate(self.contract).owning(Known(lambda: known))

    def sealed(self) -> Manifest:
        """With its checksum."""
        return self.model_copy(update={"checksum": digest(self)})

    def text(self) -> str:
        """As it is kept: readable, the same text for the same contents."""
        return json.dumps(_said(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parts_of(stack: Stack) -> Iterator[Part]:
    """What of a contract could be somebody else's, and is more than a name."""
    yield stack.database.part
    yield from ((PartKind.BALANCER, one.arn) for one in stack.balancers)
    if stack.redis:
        yield PartKind.REDIS, stack.redis.replication_group
    if stack.bucket:
        yield PartKind.BUCKET, stack.bucket
    instances = dict.fromkeys([*([stack.runner.instance_id] if stack.runner else []), *stack.index_instances])
    yield from ((PartKind.INSTANCE, one) for one in instances)


def begun(
    stack: Stack,
    desired: Mapping[str, int],
    *,
    purpose: str,
    quiet: bool,
    bucket: str,
    now: datetime,
    dumped: bool = False,
    foreign: Sequence[str] = (),
) -> Manifest:
    """Of a backup that begins now; `dumped`: each database is to be dumped too.

    The contract's passwords, where it knows any, stay in memory.
    """
    return Manifest.model_validate(
        {
            "schema": SCHEMA,
            "id": f"{now:%Y%m%d-%H%M%S}",
            "state": "in-progress",
            "purpose": purpose,
            "quiet": quiet,
            "stack": stack.stack,
            "account_id": stack.account_id,
            "region": stack.region,
            "bucket": bucket,
            "begun": now.isoformat(timespec="seconds"),
            "version": __version__,
            "desired": dict(desired),
            "contract": stack.model_dump(by_alias=True),
            "dumps": {} if dumped else None,
            "foreign": list(foreign),
        }
    )


def _said(manifest: Manifest) -> dict[str, Any]:
    """As JSON. What came later isn't in it where it isn't used: older manifests keep their checksums."""
    said = manifest.model_dump(by_alias=True)
    if manifest.dumps is None:
        del said["dumps"]
    if not manifest.foreign:
        del said["foreign"]
    if not manifest.opensearch:
        del said["opensearch"]
    return said


def digest(manifest: Manifest) -> str:
    """SHA-256 of everything but the checksum."""
    said = _said(manifest)
    del said["checksum"]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def parse(text: str, source: str) -> Manifest:
    """Raises `Invalid` with what is wrong: cut off, of another schema, not a manifest, edited."""
    fix = "take the manifest as it is in the backup's bucket (`orchestrate backup --list`)"
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(Problem("manifest-unreadable", "it is not a complete JSON document", source, fix)) from None
    if not isinstance(said, Mapping) or said.get("schema") != SCHEMA:
        version = said.get("schema") if isinstance(said, Mapping) else None
        message = f"this version reads backup manifests of schema {SCHEMA}, not {json.dumps(version)[:40]}"
        known = "use the orchestrate version that made the backup, or name a backup's manifest"
        raise Invalid(Problem("manifest-schema-unknown", message, source, known))
    try:
        manifest = Manifest.model_validate(said)
    except ValidationError as error:
        raise Invalid(*(_defect(found, source, fix) for found in error.errors(include_input=False))) from None
    if manifest.complete and manifest.checksum != digest(manifest):
        message = "its checksum doesn't match its contents: it was edited or damaged"
        raise Invalid(Problem("manifest-edited", message, source, fix))
    return manifest


def _defect(found: Mapping[str, Any], source: str, fix: str) -> Problem:
    place = ".".join(map(str, found["loc"]))
    return Problem("manifest-invalid", patterns.in_words(found), f"{source}: {place}", fix)
