"""`databases-loaded`: each tenant's database holds what was dumped from it, where no snapshot gave birth to the server.

A dump is loaded into a database beside the tenant's, and takes its place when it is whole. What is in a database that
isn't empty goes only when that loss was named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from orchestrator.database.inventory import inventory_of_each
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts
from orchestrator.engine.subjects import each
from orchestrator.errors import Problem, counted
from orchestrator.lifecycle.backup.databases_dumped import SIGNED
from orchestrator.lifecycle.freshness import as_parts
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import human


@dataclass(frozen=True, slots=True)
class LoadedDatabase:
    """One tenant's database: its tables, whether they are as in the backup, and the dump's size (None: there is none).

    `named`: that what it holds is lost was named.
    """

    database: str
    tables: int = 0
    rows: int = 0
    same: bool = False
    dump: int | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class DatabasesLoadedFacts:
    """By tenant. `unread`: whose database can't be read."""

    databases: Mapping[str, LoadedDatabase] = field(default_factory=dict)
    unread: Mapping[str, Unread] = field(default_factory=dict)


def observe(tools: Tools) -> DatabasesLoadedFacts:
    """Every row."""
    dumps = tools.manifest.dumps or {}
    seen = inventory_of_each(tools.database, tools.wanted)
    held = seen.results
    return DatabasesLoadedFacts(
        {
            one.tenant: LoadedDatabase(
                database=one.database,
                tables=len(held[one.tenant].tables),
                rows=held[one.tenant].rows,
                same=one.tenant in dumps and as_parts(held[one.tenant]) == tools.manifest.tenants[one.tenant].tables,
                dump=dumps[one.tenant].bytes if one.tenant in dumps else None,
                named=f"database:{one.database}" in tools.lost,
            )
            for one in tools.wanted
            if one.tenant in held
        },
        Unread.each(seen.failures),
    )


def decide(facts: DatabasesLoadedFacts) -> Verdicts:
    """Per tenant."""
    unread = {name: one.verdict for name, one in facts.unread.items()}
    return {**unread, **{name: _verdict(name, one) for name, one in facts.databases.items()}}


def _verdict(name: str, one: LoadedDatabase) -> Verdict:
    if one.dump is None:
        return Done("the backup has no dump of it: it stays as it is")
    if one.same:
        return Done(f"{counted(one.rows, 'row')} in {counted(one.tables, 'table')}, as in the backup")
    if one.tables and not one.named:
        message = f"{one.database} holds {counted(one.rows, 'row')} in {counted(one.tables, 'table')} "
        message += "that are not the backup's"
        fix = f"if they may be lost, add --allow-loss database:{one.database}"
        return Blocked(Problem("restore-database-not-empty", message, name, fix), refused=True)
    return Todo(f"load the dump of {one.database}, {human(one.dump)}", name)


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """One after the other, each whole or not at all. What it holds is looked at again: it may have been written to."""
    seen = observe(tools)
    again = decide(seen)
    wanted = {one.tenant: one for one in tools.wanted if one.tenant in todos}

    def load(tenant: Subject) -> None:
        if tenant in seen.unread:
            raise seen.unread[tenant].error
        if isinstance(again[tenant], Todo):
            dump = (tools.manifest.dumps or {})[tenant]
            url = tools.buckets.download_url(tools.manifest.bucket, dump.key, SIGNED)
            tools.learn([url])
            tools.say("databases-loaded", f"loading {wanted[tenant].database}")
            tools.dumper.load(wanted[tenant], SecretStr(url), dump.sha256)

    each(wanted, load)


STEP: Step[Tools, DatabasesLoadedFacts] = Step(
    id="databases-loaded",
    title="each database holds what was dumped from it",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("tenant-databases",),
    timeout=12 * 3600,
)
