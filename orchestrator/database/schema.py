"""How far a tenant's database has come: the revision of its schema, and Onyx 3's record of its copy of the documents.

The record is the one row of `opensearch_tenant_migration_record` (Onyx's source up to v4.6.1; a later version drops the
table). Which columns there are depends on the version: what is not there is not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.database.inventory import AT_ONCE, parsed, settings_of
from orchestrator.database.model import WantedDatabase
from orchestrator.database.server import Server

RECORD = "opensearch_tenant_migration_record"
_REVISION = "alembic_version"
_SHOWN: Mapping[str, Sequence[str]] = {
    _REVISION: ("version_num",),
    RECORD: (
        "overall_document_migration_status",
        "total_chunks_migrated",
        "total_chunks_errored",
        "approx_chunk_count_in_vespa",
        "migration_completed_at",
    ),
}


@dataclass(frozen=True, slots=True)
class CopyRecord:
    """What Onyx says of its copy. Chunks: `migrated` are in OpenSearch, `errored` could not be brought there."""

    migrated: int = 0
    errored: int = 0
    total: int | None = None
    """About how many there are; None: it does not say."""
    completed: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """`revision` is alembic's, empty where nothing was ever migrated; `copy`: None: Onyx has not begun to copy."""

    revision: str = ""
    copy: CopyRecord | None = None


def schemas(server: Server, wanted: Sequence[WantedDatabase]) -> Mapping[str, Schema]:
    """By tenant; one command for many."""
    said = server.read(wanted, (settings_of(_SHOWN),), at_once=AT_ONCE) if wanted else {}
    return {tenant: _schema(parsed(lines).settings) for tenant, lines in said.items()}


def _schema(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Schema:
    revisions, records = rows.get(_REVISION, ()), rows.get(RECORD, ())
    revision = str(revisions[0]["version_num"]) if revisions else ""
    return Schema(revision, _record(records[0]) if records else None)


def _record(row: Mapping[str, Any]) -> CopyRecord:
    done = str(row.get("overall_document_migration_status", "")).lower() == "completed"
    total = row.get("approx_chunk_count_in_vespa")
    return CopyRecord(
        migrated=int(row.get("total_chunks_migrated") or 0),
        errored=int(row.get("total_chunks_errored") or 0),
        total=int(total) if total is not None else None,
        completed=done or row.get("migration_completed_at") is not None,
    )
