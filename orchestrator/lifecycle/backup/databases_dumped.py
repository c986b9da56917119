"""`databases-dumped`: each tenant's database is in the backup as a file too, where no snapshot can make a server.

The runner dumps it and puts it into the backup's bucket itself, by a URL that is signed for this one object and lent as
a password is. What this run has dumped counts: another one dumps again, with the services still stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from orchestrator.engine.step import Done, Step, Subject, Todo, Verdicts
from orchestrator.engine.subjects import each
from orchestrator.lifecycle.manifest import DumpPart
from orchestrator.lifecycle.tools import Tools
from orchestrator.lifecycle.transfer import human

SIGNED = 2 * 3600
"""Seconds that the URL is good for; less where the identity's own session ends before."""


@dataclass(frozen=True, slots=True)
class DatabasesDumpedFacts:
    """What this run has dumped so far."""

    tenants: tuple[str, ...]
    dumps: Mapping[str, DumpPart] = field(default_factory=dict)


def observe(tools: Tools) -> DatabasesDumpedFacts:
    """No call: dumping is no look, it is the work."""
    return DatabasesDumpedFacts(tuple(tools.stack.tenants), dict(tools.memory.dumps))


def decide(facts: DatabasesDumpedFacts) -> Verdicts:
    """Per tenant."""
    return {
        tenant: Done(f"{human(facts.dumps[tenant].bytes)} in {facts.dumps[tenant].key}")
        if tenant in facts.dumps
        else Todo("dump its database", tenant)
        for tenant in facts.tenants
    }


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """One after the other: the runner's disk holds one dump at a time."""
    wanted = {one.tenant: one for one in tools.wanted if one.tenant in todos}

    def dump(tenant: Subject) -> None:
        key = f"{tools.manifest.dumps_prefix}{tenant}.dump"
        url = tools.buckets.upload_url(tools.vault.bucket, key, SIGNED)
        tools.learn([url])
        tools.say("databases-dumped", f"dumping {wanted[tenant].database}")
        made = tools.dumper.dump(wanted[tenant], SecretStr(url))
        tools.memory.dumps[tenant] = DumpPart(key=key, bytes=made.bytes, sha256=made.sha256)

    each(wanted, dump)


STEP: Step[Tools, DatabasesDumpedFacts] = Step(
    id="databases-dumped",
    title="each database is in the backup as a file too",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("backup-place", "services-at-zero", "database-server", "runner"),
    timeout=12 * 3600,
)
