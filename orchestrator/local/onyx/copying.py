"""Onyx 3's task that copies documents from Vespa to OpenSearch, a batch at a time, by a record in the database.

It begins by itself, goes on where the record says it was, and marks the record completed when nothing is left; of an
empty index it never does. What fails is logged, and tried again. As read in the source of Onyx up to v4.6.1 (the tasks
in opensearch_migration): no image of Onyx ran here. Left out: records of single documents, embeddings of another model,
and that connectors write to both indexes meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from orchestrator.local.ecs.tasks import WORKER, is_tenants
from orchestrator.local.onyx import database, opensearch, services
from orchestrator.local.onyx.services import TaskSurroundings, Unavailable
from orchestrator.local.ssm import instance

BATCH, EVERY = 4, 30.0
"""Chunks that are copied in one turn, and seconds between two turns."""
STALLED, FAILING = "copy-stalled", "copy-failing"
"""The faults that hold it up."""
HOLDERS: dict[str, str] = {}
"""By group the task that keeps the lock, while the first of the faults is on."""
LOCKED = "WARNING: The OpenSearch migration task timed out waiting for the lock."
BROKEN = "ERROR: Error in the OpenSearch migration task."
FULL = (
    "opensearchpy.exceptions.TransportError: TransportError(429, 'circuit_breaking_exception', '[parent] Data too "
    "large, data for [<http_request>] would be larger than the limit')"
)


class DocumentCopy:
    """The task, as the workers of one background container run it."""

    def __init__(
        self, surroundings: TaskSurroundings, environment: Mapping[str, str], write: Callable[[Sequence[str]], None]
    ) -> None:
        self._surroundings = surroundings
        self._environment = environment
        self._write = write

    @property
    def is_wanted(self) -> bool:
        """Whether Onyx is told to, and of both indexes."""
        told = self._environment.get("ENABLE_OPENSEARCH_INDEXING_FOR_ONYX", "").lower() == "true"
        return told and {"VESPA_HOST", "OPENSEARCH_HOST"} <= self._environment.keys()

    def turns(self) -> Iterator[float]:
        """Yields AWS's seconds until the next batch; ends when all is copied."""
        while not self._is_done():
            yield EVERY

    def _is_done(self) -> bool:
        """One turn."""
        if self._is_locked_out():
            self._write((LOCKED,))
            return False
        if self._has_fault(FAILING):
            self._write((BROKEN, "Traceback (most recent call last):", FULL))
            return False
        try:
            with database.connect(self._surroundings, self._environment) as session:
                return self._copy(session)
        except (database.NoConnection, Unavailable, psycopg.Error) as error:
            self._write((BROKEN, "Traceback (most recent call last):", str(error)))
            return False

    def _copy(self, session: psycopg.Connection) -> bool:
        migrated, completed = _record(session)
        if completed:
            return True
        found = sorted(self._documents().items())
        batch = found[migrated : migrated + BATCH]
        self._write((f"INFO: Trying to migrate {len(batch)} chunks from Vespa to OpenSearch.",))
        for path, fields in batch:
            opensearch.put_document(self._surroundings, self._environment, *_chunk(path, fields))
        done = bool(found) and migrated + len(batch) == len(found)
        session.execute(
            f"UPDATE {database.COPY_RECORD} SET total_chunks_migrated = %s, approx_chunk_count_in_vespa = %s, "  # noqa: S608 - a constant
            "overall_document_migration_status = %s, migration_completed_at = %s, enable_opensearch_retrieval = %s",
            (
                migrated + len(batch),
                len(found),
                "completed" if done else "pending",
                datetime.now(UTC) if done else None,
                done,
            ),
        )
        if done:
            self._write(("INFO: OpenSearch migration completed.",))
        return done

    def _documents(self) -> Mapping[str, Mapping[str, Any]]:
        """All of Vespa's, by their path. Raises Unavailable."""
        services.ask_vespa(self._surroundings, self._environment)
        here = services.instance_at(self._environment["VESPA_HOST"], self._surroundings)
        file = instance.data(self._surroundings.cloud, here.id, self._surroundings.region) / "var" / "documents.json"
        found: Mapping[str, Mapping[str, Any]] = json.loads(file.read_text()) if file.exists() else {}
        return found

    def _is_locked_out(self) -> bool:
        """The lock's holder is the worker that ran when the fault came: with its task it ends."""
        group = self._surroundings.group
        if not self._has_fault(STALLED):
            HOLDERS.pop(group, None)
            return False
        return HOLDERS.setdefault(group, self._surroundings.task_id) == self._surroundings.task_id

    def _has_fault(self, name: str) -> bool:
        service = self._surroundings.group.removesuffix(WORKER)
        active = self._surroundings.cloud.faults.all()
        return any(fault == name and is_tenants(tenant, service) for fault, tenant in active)


def _record(session: psycopg.Connection) -> tuple[int, bool]:
    """How many chunks are copied, and whether all are; the record is there afterwards."""
    columns = "total_chunks_migrated, migration_completed_at IS NOT NULL"
    row = session.execute(f"SELECT {columns} FROM {database.COPY_RECORD}").fetchone()  # noqa: S608 - constants
    if row is None:
        session.execute(f"INSERT INTO {database.COPY_RECORD} DEFAULT VALUES")
        return 0, False
    return int(row[0]), bool(row[1])


def _chunk(path: str, fields: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Vespa's `NAMESPACE/TYPE/docid/ID` and its fields → OpenSearch's id and its source."""
    document, chunk = fields.get("document_id", path.rpartition("/")[2]), fields.get("chunk_id", 0)
    known = {name: value for name, value in fields.items() if name not in ("document_id", "chunk_id", "embedding")}
    vector = fields.get("embedding", [])
    return f"{document}__512__{chunk}", {
        "document_id": document,
        "chunk_index": chunk,
        "content_vector": vector,
        **known,
    }
