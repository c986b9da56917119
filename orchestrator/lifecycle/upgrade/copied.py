"""`documents-copied`: Onyx 3 has copied all documents of the tenant from Vespa to OpenSearch, by its own record.

The copy is a task of background's, which begins by itself and goes on where it was interrupted; it is only watched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.aws.ssm import Ssm
from orchestrator.database.model import wanted_of
from orchestrator.database.schema import CopyRecord, schemas
from orchestrator.database.server import Server
from orchestrator.engine.step import Done, Step, Subject, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.index import provider
from orchestrator.stack.contract import Stack
from orchestrator.stack.indexes import VESPA

Sight = tuple[datetime, int]
"""When, and how many chunks were copied then."""


class CopyContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ssm(self) -> Ssm:
        """The way into the indexes' instances."""
        ...

    @property
    def database(self) -> Server:
        """Where Onyx's record is."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """Wall-clock time, UTC."""
        ...

    @property
    def first_sights(self) -> dict[Subject, Sight]:
        """The command's memory: how far each copy was when it was first seen."""
        ...


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """By tenant what Onyx says of its copy, and how many documents Vespa has (None: it doesn't say)."""

    records: Mapping[Subject, CopyRecord | None]
    documents: Mapping[Subject, int | None]
    now: datetime
    first: Mapping[Subject, Sight] = field(default_factory=dict)


def observe(context: CopyContext, tenants: Collection[Subject] | None = None) -> CopyFacts:
    """One command for all databases (of these tenants'), another for the indexes of those where nothing is copied."""
    stack, now = context.stack, context.now()
    indexes = {name: it for name, it in provider(VESPA).of(stack).items() if tenants is None or name in tenants}
    seen = schemas(context.database, [one for one in wanted_of(stack) if one.tenant in indexes])
    records = {tenant: one.copy for tenant, one in seen.items()}
    open_ = {tenant: it for tenant, it in indexes.items() if not _begun(records.get(tenant))}
    asked = provider(VESPA).look(context.ssm, open_, who="upgrade").results if open_ else {}
    documents = {tenant: report.documents if report else None for tenant, report in asked.items()}
    for tenant, record in records.items():
        if record is not None:
            context.first_sights.setdefault(tenant, (now, record.migrated))
    return CopyFacts(records, documents, now, dict(context.first_sights))


def _begun(record: CopyRecord | None) -> bool:
    return record is not None and (record.completed or record.migrated > 0)


def is_copied(record: CopyRecord | None, documents: int | None) -> bool:
    """Whether nothing is left to be copied: Onyx says so, or there has never been anything. Pure."""
    return (record is not None and record.completed) or (not _begun(record) and documents == 0)


def decide(facts: CopyFacts) -> Verdicts:
    """Per tenant."""
    return {tenant: _verdict(tenant, record, facts) for tenant, record in facts.records.items()}


def _verdict(tenant: Subject, record: CopyRecord | None, facts: CopyFacts) -> Verdict:
    if is_copied(record, facts.documents.get(tenant)):
        if record is None or not record.completed:
            return Done("Vespa has no documents: there is nothing to copy")
        left = f"; {record.errored} could not be: the proof tells which are missing" if record.errored else ""
        return Done(f"{record.migrated} chunks were copied{left}")
    if record is None:
        fix = f"see what background writes: orchestrate logs --tenant {tenant}; and orchestrate doctor"
        return Wait("Onyx has not begun to copy the documents: background does that", "copy-not-begun", fix)
    fix = (
        f"see what background writes of its OpenSearch migration task (orchestrate logs --tenant {tenant} --grep "
        "migration), and orchestrate doctor; once it continues, run the same command again"
    )
    return Wait(_progress(tenant, record, facts), "copy-stuck", fix, progress=f"{record.migrated} {record.errored}")


def _progress(tenant: Subject, record: CopyRecord, facts: CopyFacts) -> str:
    total = f" of about {record.total}" if record.total is not None else ""
    said = f"{record.migrated}{total} chunks are copied"
    began, before = facts.first.get(tenant, (facts.now, record.migrated))
    seconds, copied = (facts.now - began).total_seconds(), record.migrated - before
    if seconds <= 0 or copied <= 0:
        return said
    rate = copied / seconds
    left = max(0, (record.total or 0) - record.migrated)
    remaining = f", about {timedelta(seconds=round(left / rate))} left" if record.total else ""
    return f"{said}, {rate:.1f} a second{remaining}"


STEP: Step[CopyContext, CopyFacts] = Step(
    id="documents-copied",
    title="Onyx has copied the documents to OpenSearch",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=3600,
    poll=10,
)
