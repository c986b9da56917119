"""The database server: what is in it goes with it, and while it is away no site works."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.database_users import RESTARTING, SERVERS, held_by
from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.engine.step import STACK, Subject
from orchestrator.stack.blueprint.changes import ResourceChange
from orchestrator.stack.blueprint.tenancy import ResourceOwner

REBUILDING = 900
"""Seconds until a new server is available and the first migrations are through, about."""
_RESTARTS = ("instance_class", "engine_version", "parameter_group_name", "multi_az", "db_subnet_group_name")


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """One loss for each database, one outage for each server."""
    for change in scene.of(*SERVERS):
        if change.ends:
            yield from _gone(change, scene)
        elif change.updated:
            yield from _restarted(change)


def _name(change: ResourceChange) -> str:
    return change.was("identifier") or change.was("cluster_identifier") or change.name


def _gone(change: ResourceChange, scene: PlanReading) -> Iterable[Consequence]:
    server = _name(change)
    if _never_lived(change):
        yield Consequence(
            code="database-server-unfinished",
            effect=Effect.WORK,
            name=f"database-server:{server}",
            says=f"the database server {server} is recreated; nothing was ever in it",
            why="its creation was interrupted, so Terraform has marked it as tainted",
            then="none needed: no tenant's database exists yet",
            address=change.address,
        )
        return
    why = f"Terraform {change.verb} {server}: {change.why}"
    held = _held(server, change, scene)
    own = change.was("db_name") or change.was("database_name") or server
    for tenant, database in [(one.name, one.database) for one in held if one.database] or [("", own)]:
        yield _lost(change, tenant, _full_name(server, database, scene), why, scene.snapshots)
    everybody = not scene.tenancy.tenants or len(held) == len(scene.tenancy.tenants)
    for tenant in [STACK] if everybody else [one.name for one in held]:
        yield _down(change, server, tenant, why, made=any(one.looked_after and one.database for one in held))


def _down(change: ResourceChange, server: str, tenant: Subject, why: str, *, made: bool) -> Consequence:
    """`made`: somebody makes the databases anew, so that the outage has an end."""
    ends = change.replaced and (made or bool(_snapshot(change)))
    lasting = f" for about {REBUILDING // 60} minutes" if ends else ": the new one is empty"
    who = "no site works" if tenant == STACK else f"the site of {tenant} doesn't work"
    return Consequence(
        code="database-server-replaced" if change.replaced else "database-server-destroyed",
        effect=Effect.OUTAGE,
        name=f"database-server:{server}",
        says=f"{who} without {server}{lasting if change.replaced else ' any more'}",
        why=why,
        then=_then(change, made=made),
        address=change.address,
        subject=tenant,
        seconds=REBUILDING if ends else None,
    )


def _then(change: ResourceChange, *, made: bool) -> str:
    if not change.replaced:
        return "nothing is left to connect to"
    if restored := _snapshot(change):
        return f"the databases are restored from {restored}"
    if made:
        return "orchestrate apply creates empty databases, and migrations start from scratch"
    return "no contract names these databases: whoever created them must create them again"


def _never_lived(change: ResourceChange) -> bool:
    """Tainted, and the state never heard of an address: Terraform did not see it become available, so nobody used it.

    What the last refresh found doesn't count: RDS finishes an instance whose creation Terraform gave up.
    """
    tainted = change.reason == "replace_because_tainted"
    return tainted and not change.recorded.get("address") and not change.recorded.get("endpoint")


def _held(server: str, change: ResourceChange, scene: PlanReading) -> list[ResourceOwner]:
    names = {server, change.was("address"), change.was("endpoint").partition(":")[0]}
    return held_by(names, server, scene)


def _full_name(server: str, database: str, scene: PlanReading) -> str:
    """With the server's name where another server has a database of the same name."""
    homes = {one.servers for one in scene.tenancy.tenants.values() if one.database == database}
    return f"{server}/{database}" if len(homes) > 1 else database


def _snapshot(change: ResourceChange) -> str:
    """What the new server is born from; empty: nothing."""
    named = change.after.get("snapshot_identifier")
    return named if isinstance(named, str) and change.replaced else ""


def _lost(change: ResourceChange, tenant: str, database: str, why: str, snapshots: tuple[str, ...]) -> Consequence:
    restored = _snapshot(change)
    if restored:
        says = f"database {database} goes back to the snapshot {restored}: what was written since is lost"
    else:
        held = "accounts, chats and connectors" if tenant else "everything in it"
        says = f"database {database} is lost, with {held}"
    return Consequence(
        code="database-lost",
        effect=Effect.LOSS,
        name=f"database:{database}",
        says=says,
        why=why,
        then="; ".join((_final_snapshot(change), *snapshots)),
        address=change.address,
        subject=tenant,
    )


def _final_snapshot(change: ResourceChange) -> str:
    if change.before.get("deletion_protection"):
        return "AWS refuses to delete it while deletion_protection is on"
    final = change.was("final_snapshot_identifier")
    if change.before.get("skip_final_snapshot") or not final:
        return "no final snapshot is taken (skip_final_snapshot)"
    return f"a final snapshot {final} is taken"


def _restarted(change: ResourceChange) -> Iterable[Consequence]:
    differing = [name for name in _RESTARTS if change.differs(name) and change.before.get(name) is not None]
    if not differing:
        return
    what = ", ".join(f"{name} {change.was(name)} → {change.after.get(name)}" for name in differing)
    now = bool(change.after.get("apply_immediately"))
    standby = bool(change.before.get("multi_az"))
    yield Consequence(
        code="database-server-restarts",
        effect=Effect.DISTURBANCE if now else Effect.WORK,
        name=f"database-server:{_name(change)}",
        says=f"the database server {_name(change)} restarts: sites answer with errors for about "
        f"{'a minute' if standby else f'{RESTARTING // 60} minutes'}"
        if now
        else f"the database server {_name(change)} restarts in its next maintenance window",
        why=f"changed in place: {what}",
        then="tasks connect again by themselves",
        address=change.address,
        seconds=(60 if standby else RESTARTING) if now else 0,
    )


KIND = Kind("Database servers and the databases in them", judge)
