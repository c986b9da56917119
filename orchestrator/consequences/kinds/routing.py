"""A tenant's way in: its listener rule and its target group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.stack.blueprint.changes import ResourceChange
from orchestrator.stack.blueprint.resources import UNKNOWN, blocks_in, listed
from orchestrator.stack.records import plain, records_of

RULE = "aws_lb_listener_rule"
GROUP = "aws_lb_target_group"
LATER = "a name that is known after the apply"
HEALTHY = 180
"""Seconds until tasks are registered anew and have passed two health checks a minute apart."""


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """A tenant that leaves, or a load balancer that goes, says it all; this is about those that stay."""
    for change in scene.of(RULE):
        if not scene.leaves(scene.owner(change)) and not scene.ends(change.before.get("listener_arn")):
            yield from _rule(change, scene.owner(change), scene)
    for change in scene.of(GROUP):
        if scene.ends(change.before.get("vpc_id")):
            continue
        if change.replaced and not change.new_first:
            yield _group(change, scene.owner(change))
        elif change.ends and not change.replaced and not scene.leaves(scene.owner(change)):
            yield _without(change, scene.owner(change))


def _hosts(values: object) -> list[str]:
    """Provider 2 and 3 have `field` and the values beside it."""
    old = (it.get("values") for it in blocks_in(values) if it.get("field") == "host-header")
    headers = (it.get("values") for one in blocks_in(values) for it in blocks_in(one.get("host_header")))
    return [host for said in (*old, *headers) for host in _named(said)]


def _named(values: object) -> Iterable[str]:
    if values is UNKNOWN:
        return (LATER,)
    return (LATER if one is UNKNOWN else one for one in listed(values) if one is UNKNOWN or isinstance(one, str))


def _record_of(hosts: Sequence[str], tenant: str, scene: PlanReading) -> str:
    """Who leads the new name to the load balancer."""
    owner = scene.tenancy.tenants.get(tenant)
    there = [
        *scene.before.everything(),
        *(one.planned for some in scene.changes.values() for one in some if one.planned),
    ]
    if hosts and all(any(record.is_for(plain(host)) for record in records_of(there)) for host in hosts):
        return "Terraform has the new name's record"
    if owner is not None and owner.dns:
        return "orchestrate apply creates the new name's record"
    return "nobody that is known creates the new name's record: point it to the load balancer by hand"


def _rule(change: ResourceChange, tenant: str, scene: PlanReading) -> Iterable[Consequence]:
    before, after = _hosts(change.before.get("condition")), _hosts(change.after.get("condition"))
    site = ", ".join(before) or "a site"
    if change.replaced:
        yield _of_rule(change, tenant, Effect.DISTURBANCE, f"{site} is routed nowhere for some seconds", 10)
    elif change.ends:
        yield _of_rule(change, tenant, Effect.OUTAGE, f"{site} is no longer routed to any tasks", None)
    elif change.updated and before != after and change.after.get("condition") is not UNKNOWN:
        says = f"the site moves from {site} to {', '.join(after) or 'no name'}: the old name no longer answers"
        yield Consequence(
            code="hostname-changed",
            effect=Effect.DISTURBANCE,
            name=f"hostname:{site}",
            says=says,
            why="the listener rule's host header changes",
            then=f"{_record_of(after, tenant, scene)}; the certificate must cover it, and users must be told",
            address=change.address,
            subject=tenant,
        )


def _of_rule(change: ResourceChange, tenant: str, effect: Effect, says: str, seconds: int | None) -> Consequence:
    return Consequence(
        code="listener-rule-replaced" if change.replaced else "listener-rule-destroyed",
        effect=effect,
        name=f"listener-rule:{', '.join(_hosts(change.before.get('condition'))) or change.name}",
        says=says,
        why=f"Terraform {change.verb} its listener rule: {change.why}",
        then="none needed: the new rule follows"
        if change.replaced
        else "requests for it get the listener's default answer",
        address=change.address,
        subject=tenant,
        seconds=seconds,
    )


def _group(change: ResourceChange, tenant: str) -> Consequence:
    name = change.was("name") or change.name
    return Consequence(
        code="target-group-replaced",
        effect=Effect.OUTAGE,
        name=f"target-group:{name}",
        says=f"the target group {name} is recreated: no task is behind the site for about {HEALTHY // 60} minutes",
        why=f"Terraform replaces it: {change.why}",
        then="AWS refuses to delete a group that a rule uses: name_prefix and "
        "lifecycle { create_before_destroy = true } avoid both",
        address=change.address,
        subject=tenant,
        seconds=HEALTHY,
    )


def _without(change: ResourceChange, tenant: str) -> Consequence:
    name = change.was("name") or change.name
    return Consequence(
        code="target-group-destroyed",
        effect=Effect.DISTURBANCE,
        name=f"target-group:{name}",
        says=f"the target group {name} is deleted: requests that are still sent there get no answer",
        why=f"Terraform destroys it: {change.why}",
        then="check that a rule forwards to the service's current target group",
        address=change.address,
        subject=tenant,
    )


KIND = Kind("Listener rules, target groups", judge)
