"""May this backup be restored to that stack? One pure function, before anything is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import Manifest


@dataclass(frozen=True, slots=True)
class TenantTarget:
    """What the plan says of one tenant."""

    hostname: str
    database: str


@dataclass(frozen=True, slots=True)
class RestoreTarget:
    """What the plan says of the stack. `live`: it is there already, with data of its own.

    `replaceable`: Terraform can make what holds the data anew from snapshots.
    """

    stack: str
    account_id: str
    region: str
    tenants: Mapping[str, TenantTarget] = field(default_factory=dict)
    live: bool = False
    replaceable: bool = True


def obstacles(manifest: Manifest, target: RestoreTarget) -> tuple[Problem, ...]:
    """Everything that speaks against it; empty: go on."""
    return tuple(_all(manifest, target))


def _all(manifest: Manifest, target: RestoreTarget) -> Iterator[Problem]:
    place = manifest.place
    if target.live and not target.replaceable:
        message = f"{target.stack} exists, and nothing in its configuration is created from a backup's snapshots"
        fix = (
            "give the aws_db_instance or aws_rds_cluster snapshot_identifier = var.postgres_snapshot (docs/how-to); "
            "or destroy it first"
        )
        yield Problem("restore-onto-live", message, target.stack, fix)
    if (target.account_id, target.region) != (manifest.account_id, manifest.region):
        message = (
            f"the backup is in {manifest.account_id}, {manifest.region}; "
            f"the stack would be in {target.account_id}, {target.region}"
        )
        fix = "restore in the backup's account and region: snapshots can't be used elsewhere"
        yield Problem("restore-elsewhere", message, place, fix)
    if target.stack != manifest.stack:
        yield from _clone(manifest, target)
    yield from _tenants(manifest, target)


def _clone(manifest: Manifest, target: RestoreTarget) -> Iterator[Problem]:
    """Another stack must not take the names of the one that was backed up, which may be alive."""
    mine = {one.hostname for one in target.tenants.values()}
    taken = sorted(mine & {one.hostname for one in manifest.tenants.values()})
    if taken:
        message = f"{', '.join(taken)} belong to {manifest.stack}; {target.stack} needs hostnames of its own"
        fix = "give other hostnames in `tenants`: the records of the original are never touched"
        yield Problem("clone-needs-hostnames", message, target.stack, fix)


def _tenants(manifest: Manifest, target: RestoreTarget) -> Iterator[Problem]:
    lost = sorted(set(manifest.tenants) - set(target.tenants))
    if lost:
        message = f"the backup has {', '.join(lost)}, but the configuration does not"
        yield Problem("restore-tenant-missing", message, target.stack, "add them to `tenants`, with their old slots")
    for name, tenant in sorted(target.tenants.items()):
        kept = manifest.tenants.get(name)
        if kept and kept.database != tenant.database:
            message = f"{name} had the database {kept.database}, but would get {tenant.database}"
            fix = f'set database = "{kept.database}" for {name}'
            yield Problem("restore-database-differs", message, name, fix)
