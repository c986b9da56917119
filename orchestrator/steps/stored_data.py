"""`stored-data`: a bucket and an index that should hold data do; where they are empty, that is said before tasks start.

Only of tenants whose service was up before and isn't now: of the others no task is going to be started. And only what
knows better makes a finding of it: a backup that counted something there, or the tenant's own database, which names
files and documents. Nothing is changed, nothing is held up: an empty store hides nothing that could still be saved, and
tasks do no more harm to it.

Left out: what was lost in part; a bucket's part of one tenant while others have files in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.aws.ecs import Ecs
from orchestrator.aws.s3 import S3
from orchestrator.aws.ssm import Ping, Ssm
from orchestrator.database.inventory import MOST_ROWS, rows_of
from orchestrator.database.model import WantedDatabase, wanted_of
from orchestrator.database.server import Server
from orchestrator.engine.step import Done, Step, Subject, Verdict, Verdicts, nothing_to_apply
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.index import PROVIDERS
from orchestrator.rollout.progress import steady
from orchestrator.stack.contract import Stack

FILES, DOCUMENTS = "file_record", "document"
"""Onyx's tables: a row for each file that is in the bucket, and for each document that is in the index."""


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The newest finished one; `holdings`: how much it has of what (`files`, `documents of TENANT`)."""

    id: str
    holdings: Mapping[str, int] = field(default_factory=dict)


class StoredDataContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ecs(self) -> Ecs:
        """Where services are read."""
        ...

    @property
    def ssm(self) -> Ssm:
        """The way into the indexes' instances."""
        ...

    @property
    def buckets(self) -> S3:
        """Where the files are."""
        ...

    @property
    def database(self) -> Server:
        """Who knows of files and documents."""
        ...

    @property
    def newest_backup(self) -> Callable[[], LastBackup | None]:
        """Finds the newest backup, where they were counted; None: there is none."""
        ...


@dataclass(frozen=True, slots=True)
class StoredDataFacts:
    """What of the tenants is empty, and what others know of it. What could not be looked at is in none of these.

    `files`, `documents`: by tenant how many its database names. `backup`: the newest; None: none, or it can't be read.
    """

    tenants: tuple[Subject, ...]
    bucket: str = ""
    """Where it is empty, its name."""
    indexes: Mapping[Subject, str] = field(default_factory=dict)
    """Of empty ones, their instances."""
    files: Mapping[Subject, int | None] = field(default_factory=dict)
    documents: Mapping[Subject, int | None] = field(default_factory=dict)
    backup: LastBackup | None = None


def observe(context: StoredDataContext) -> StoredDataFacts:
    """One call where all is steady, else three and a command for all.

    Where something is empty: two commands more, and the newest backup's manifest. A remark is not worth a failure:
    what can't be looked at is passed over.
    """
    stack = context.stack
    tenants = tuple(stack.tenants)
    if not stack.bucket and not stack.indexes:
        return StoredDataFacts(tenants)
    old = _fell(context)
    bucket = stack.bucket if old and stack.bucket and _is_empty(context, stack.bucket) else ""
    indexes = _empty_indexes(context, old)
    wanted = [one for one in wanted_of(stack) if one.tenant in (old if bucket else indexes)]
    if not wanted:
        return StoredDataFacts(tenants)
    return StoredDataFacts(
        tenants,
        bucket,
        indexes,
        files=_counted(context, FILES, wanted) if bucket else {},
        documents=_counted(context, DOCUMENTS, [one for one in wanted if one.tenant in indexes]) if indexes else {},
        backup=_newest(context),
    )


def _fell(context: StoredDataContext) -> frozenset[Subject]:
    """Tenants that were up, and are not steady."""
    names = {tenant.service_id: name for name, tenant in context.stack.tenants.items()}
    try:
        found = context.ecs.services(list(names))
    except OrchestratorError:
        return frozenset()
    return frozenset(names[service] for service, one in found.items() if one.last_up and not steady(one))


def _is_empty(context: StoredDataContext, bucket: str) -> bool:
    try:
        return context.buckets.is_empty(bucket)
    except OrchestratorError:
        return False


def _empty_indexes(context: StoredDataContext, tenants: frozenset[Subject]) -> Mapping[Subject, str]:
    """Of those that answer: tenants of whom no index holds a document."""
    asked = [one for one in context.stack.indexes if one.tenant in tenants]
    held: dict[Subject, list[int | None]] = {}
    try:
        pings = context.ssm.pings(sorted({one.server.instance_id for one in asked})) if asked else {}
        for kind in PROVIDERS:
            mine = {name: one for name, one in kind.of(context.stack).items() if name in tenants}
            answering = {name: one for name, one in mine.items() if pings.get(one.instance_id, Ping(None)).online}
            seen = kind.look(context.ssm, answering, who="stored-data").results if answering else {}
            for name in mine:
                inside = seen.get(name)
                held.setdefault(name, []).append(inside.documents if inside else None)
    except OrchestratorError:
        return {}
    empty = {name for name, numbers in held.items() if set(numbers) == {0}}
    return {one.tenant: one.server.instance_id for one in asked if one.tenant in empty}


def _counted(context: StoredDataContext, table: str, wanted: Sequence[WantedDatabase]) -> Mapping[Subject, int | None]:
    try:
        return rows_of(context.database, wanted, table)
    except OrchestratorError:
        return {}


def _newest(context: StoredDataContext) -> LastBackup | None:
    try:
        return context.newest_backup()
    except OrchestratorError:
        return None


def decide(facts: StoredDataFacts) -> Verdicts:
    """What is empty is said, and holds up nothing."""
    gone = {problem.context for problem in findings(facts)}
    return {tenant: _verdict(tenant, facts, gone) for tenant in facts.tenants}


def _verdict(tenant: Subject, facts: StoredDataFacts, gone: Collection[str]) -> Verdict:
    if tenant in gone or facts.bucket in gone:
        return Done("what it held is gone: see above")
    return Done("nothing that should hold data is empty, as far as can be seen")


def findings(facts: StoredDataFacts) -> Iterable[Problem]:
    """What is empty although somebody knows that it held something."""
    newest = facts.backup
    kept = newest.holdings if newest else {}
    restored = "orchestrate backup --list, then orchestrate restore"
    if facts.bucket and (knows := _knows("files", facts.files, kept.get("files", 0), newest)):
        fix = f"{restored}; if the bucket keeps versions, what was deleted is still there under delete markers: "
        fix += f"aws s3api list-object-versions --bucket {facts.bucket}"
        message = f"bucket {facts.bucket} holds no object although {knows}: tenants can't read their files"
        yield Problem("files-gone", f"{message}; {_said(newest)}", facts.bucket, fix)
    for tenant, instance in facts.indexes.items():
        of_it = {tenant: facts.documents.get(tenant)}
        if knows := _knows("documents", of_it, kept.get(f"documents of {tenant}", 0), newest):
            fix = f"check that the data volume of {instance} is the one it had; otherwise {restored}"
            fix += "; or index again in Onyx (Admin, Connectors)"
            message = f"the index on {instance} holds no document although {knows}: searches find nothing"
            yield Problem("index-gone", f"{message}; {_said(newest)}", tenant, fix)


def _knows(what: str, rows: Mapping[Subject, int | None], kept: int, newest: LastBackup | None) -> str:
    """Who says that there were some; empty: nobody."""
    told = [f"the database of {tenant} names {_up_to(number)} {what}" for tenant, number in rows.items() if number]
    if kept and newest:
        told.append(f"backup {newest.id} has {kept} of its {what}")
    return " and ".join(told[:2])


def _up_to(number: int) -> str:
    return f"{number}" if number < MOST_ROWS else f"{number} or more"


def _said(newest: LastBackup | None) -> str:
    return f"the newest backup is {newest.id}" if newest else "there is no backup of the stack that can be read"


STEP: Step[StoredDataContext, StoredDataFacts] = Step(
    id="stored-data",
    title="everything that should hold data does",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    needs=("tenant-databases",),
    timeout=120,
    findings=findings,
)
