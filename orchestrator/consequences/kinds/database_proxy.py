"""RDS Proxy: it keeps no data, and who connects through it has no database without it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.engine.step import STACK, Subject
from orchestrator.stack.blueprint.changes import ResourceChange

PROXY, TARGET = "aws_db_proxy", "aws_db_proxy_target"
CREATING = 600
"""Seconds until a new proxy is available, about."""


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """The proxy, or what leads it to its server."""
    proxies = {one.text("name"): one.text("endpoint") for one in scene.there(PROXY)}
    gone = {change.was("name"): change for change in scene.of(PROXY) if change.ends}
    gone |= {
        change.was("db_proxy_name"): change
        for change in scene.of(TARGET)
        if change.ends and change.was("db_proxy_name") not in gone
    }
    for name, change in gone.items():
        for tenant in _through(name, proxies.get(name, ""), scene):
            yield _without(name, change, tenant)


def _through(name: str, endpoint: str, scene: PlanReading) -> Iterable[Subject]:
    """The tenants that are known to connect through it; nobody known: nothing is promised."""
    mine = [it.name for it in scene.tenancy.tenants.values() if {name, endpoint} & it.servers - {""}]
    everybody = bool(mine) and len(mine) == len(scene.tenancy.tenants)
    return [STACK] if everybody else [one for one in mine if not scene.leaves(one)]


def _without(name: str, change: ResourceChange, tenant: Subject) -> Consequence:
    who = "no site works" if tenant == STACK else f"the site of {tenant} doesn't work"
    lasting = f" for about {CREATING // 60} minutes" if change.replaced else ""
    return Consequence(
        code="database-proxy-replaced" if change.replaced else "database-proxy-destroyed",
        effect=Effect.OUTAGE,
        name=f"database-proxy:{name}",
        says=f"{who}{lasting} without the RDS proxy {name}",
        why=f"Terraform {change.verb} {change.address}: {change.why}",
        then="the data stay; tasks connect again once the new one is available"
        if change.replaced
        else "the data stay: point the tasks to the server's own address",
        address=change.address,
        subject=tenant,
        seconds=CREATING if change.replaced else None,
    )


KIND = Kind("RDS proxies", judge)
