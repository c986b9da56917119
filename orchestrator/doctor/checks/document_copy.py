"""Onyx 3 copies its documents from Vespa to OpenSearch: what its task last wrote of it.

The task runs every minute or so and logs what it does. Its complaints, as read in Onyx's source (opensearch_migration):
it could not get its lock, or a batch failed. How far the copy is says Onyx's record (`orchestrate upgrade`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.aws.logs import LogEvent
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.applications import major_of
from orchestrator.stack.indexes import KINDS

COPIES = 3
"""The major version that copies documents."""
SPAN = timedelta(minutes=15)
TERM, ABOUT = "OpenSearch", "migrat"
"""What CloudWatch is asked for, and what is in the lines of the task."""
LOCKED, FAILED = "timed out waiting for the lock", "Error in the OpenSearch migration"


@dataclass(frozen=True, slots=True)
class DocumentCopyCheckFacts:
    """By tenant of Onyx 3 with both indexes: what the task wrote lately, oldest first."""

    lines: Mapping[str, tuple[str, ...]]


def gather(scene: Scene) -> DocumentCopyCheckFacts:
    """One search in each log group of those tenants."""
    kinds: dict[str, set[str]] = {}
    for one in scene.stack.indexes:
        kinds.setdefault(one.tenant, set()).add(one.kind)
    copying = [
        name
        for name, definition in scene.definitions().items()
        if kinds.get(name) == set(KINDS) and major_of([one.image for one in definition.containers]) == COPIES
    ]

    return DocumentCopyCheckFacts({tenant: _lines(scene, tenant) for tenant in copying})


def _lines(scene: Scene, tenant: str) -> tuple[str, ...]:
    groups = {one.log_group for one in scene.stack.services.values() if one.tenant == tenant and one.log_group}
    found: list[LogEvent] = []
    for group in sorted(groups):
        with suppress(KeyError):  # that it is missing, another check says
            found += scene.read.logs.since(group, scene.now - SPAN, TERM)
    return tuple(one.message for one in sorted(found, key=lambda one: one.at) if ABOUT in one.message)


def judge(facts: DocumentCopyCheckFacts) -> Iterable[Finding]:
    """By the newest line alone: a batch that failed once is tried again."""
    for tenant, lines in facts.lines.items():
        newest = lines[-1] if lines else ""
        if LOCKED in newest:
            fix = (
                f"restart what holds the lock: orchestrate redeploy {tenant}; it expires by itself after 6 minutes "
                "(Onyx's source)"
            )
            yield _finding(
                tenant, "copy-stalled", "its task does not get its lock, which another worker holds", fix, newest
            )
        elif FAILED in newest:
            fix = (
                f"see why: orchestrate logs --tenant {tenant} --grep migration; the batch is tried again by itself "
                "once that is repaired"
            )
            yield _finding(tenant, "copy-failing", "its task fails, again and again", fix, newest)


def _finding(tenant: str, code: str, cause: str, fix: str, seen: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        subject=tenant,
        symptom="documents are not copied from Vespa to OpenSearch: the upgrade to Onyx 4 has to wait",
        cause=cause,
        fix=fix,
        evidence=(seen,),
    )


CHECK: Check[Scene, DocumentCopyCheckFacts] = Check(
    id="document-copy",
    title="Onyx 3 makes progress with its copy of the documents",
    gather=gather,
    judge=judge,
)
