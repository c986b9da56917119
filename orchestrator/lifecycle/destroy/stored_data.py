"""How much data a stack holds, in figures, before anybody is asked. What Terraform does to it is told by its plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.database.inventory import sizes
from orchestrator.database.model import wanted_of
from orchestrator.database.server import Server
from orchestrator.errors import OrchestratorError, counted
from orchestrator.lifecycle.destroy.context import DestroyContext
from orchestrator.lifecycle.transfer import human
from orchestrator.stack.contract import Stack


@dataclass(frozen=True, slots=True)
class StoredData:
    """`databases`: tenant → bytes. What can't be read is said in `unread`."""

    stack: Stack
    databases: Mapping[str, int] = field(default_factory=dict)
    objects: int = 0
    bytes: int = 0
    unread: tuple[str, ...] = ()


def look(context: DestroyContext, database: Server) -> StoredData:
    """Sizes and counts; a part that doesn't answer does not keep the others from being shown."""
    unread: list[str] = []
    databases: Mapping[str, int] = {}
    stack, bucket = context.stack, context.stack.bucket or ""
    try:
        databases = {tenant: found.bytes for tenant, found in sizes(database, wanted_of(stack)).items()}
    except OrchestratorError as error:
        unread.append(f"the databases can't be read: {error.problems[0].message}")
    there = bool(bucket) and context.buckets.state(bucket).there
    found = context.buckets.objects(bucket) if there else ()
    return StoredData(stack, databases, len(found), sum(one.size for one in found), tuple(unread))


def told(seen: StoredData, *, no_backup: bool) -> Iterator[str]:
    """Line by line. Pure."""
    stack = seen.stack
    kept = "Everything is backed up and verified first, then deleted here."
    yield f"Destroying {stack.stack} ({stack.account_id}, {stack.region})."
    yield "  Everything in it is LOST FOR GOOD." if no_backup else f"  {kept}"
    for name, tenant in sorted(stack.tenants.items()):
        size = f", {human(seen.databases[name])}" if name in seen.databases else ""
        yield f"  {name}: database {tenant.database}{size}; https://{tenant.hostname} goes dark"
    yield f"  files: {counted(seen.objects, 'object')}, {human(seen.bytes)} in {stack.bucket or 'no bucket'}"
    yield f"  search index: {counted(len(stack.indexes), 'volume')}"
    yield "  Redis is never backed up: everybody must sign in again afterwards."
    yield "  The hostnames' DNS records stay, and point to nothing until a restore or an apply."
    yield from (f"  {line}" for line in seen.unread)
