"""The load balancer and its listeners: its name is new each time it is made, and every site's record leads to it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.engine.step import STACK, Subject
from orchestrator.stack.blueprint.changes import ResourceChange
from orchestrator.stack.blueprint.tenancy import RULE, ResourceOwner, groups_of
from orchestrator.stack.records import plain, records_of

BALANCERS = ("aws_lb", "aws_elb")
LISTENER_TYPE = "aws_lb_listener"
PROVISIONING = 120
"""Seconds until a new load balancer answers (AWS says 2 to 3 minutes)."""
SWITCHING = 60
"""Seconds until changed records are at every name server."""
LISTENER = 10
"""Seconds between the old listener's end and the new one."""


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """What goes with its load balancer is not said again."""
    for change in scene.of(*BALANCERS):
        if change.ends:
            yield from _of_balancer(change, scene)
    for change in scene.of(LISTENER_TYPE):
        if change.ends and not scene.ends(change.before.get("load_balancer_arn")) and _serves(change):
            yield _listener(change)


def _of_balancer(change: ResourceChange, scene: PlanReading) -> Iterable[Consequence]:
    """One outage where all sites are behind it, else one for each that is."""
    every = list(scene.tenancy.tenants.values())
    behind = _behind(change, scene, every)
    if every and not behind:
        yield _unused(change)
    elif len(behind) == len(every):
        yield _balancer(change, scene, STACK, every)
    else:
        yield from (_balancer(change, scene, one.name, [one]) for one in behind)


def _behind(change: ResourceChange, scene: PlanReading, every: list[ResourceOwner]) -> list[ResourceOwner]:
    """Whose target groups its listeners and their rules lead to; all, where that can't be told of one of them."""
    balancing: dict[str, set[str]] = {}
    by_listener = {one.text("arn"): one.text("load_balancer_arn") for one in scene.there(LISTENER_TYPE)}
    for one in scene.there(LISTENER_TYPE, RULE):
        arn = one.text("load_balancer_arn") or by_listener.get(one.text("listener_arn"), "")
        for group in groups_of(one):
            balancing.setdefault(group, set()).add(arn)
    if not all(one.target_group in balancing for one in every):
        return every
    return [one for one in every if change.was("arn") in balancing[one.target_group]]


def _unused(change: ResourceChange) -> Consequence:
    name = change.was("name") or change.name
    return Consequence(
        code="load-balancer-unused",
        effect=Effect.WORK,
        name=f"load-balancer:{name}",
        says=f"the load balancer {name} is deleted; no site is behind it",
        why=f"Terraform {change.verb} it: {change.why}",
        then="nothing",
        address=change.address,
    )


def _balancer(change: ResourceChange, scene: PlanReading, subject: Subject, behind: list[ResourceOwner]) -> Consequence:
    name = change.was("name") or change.name
    hosts = sorted(filter(None, (one.hostname for one in behind)))
    sites = f"{len(hosts)} site{'s' * (len(hosts) != 1)} ({', '.join(hosts)})" if hosts else "every site behind it"
    ttl = scene.tenancy.wait()
    seconds = ttl + PROVISIONING + SWITCHING
    unled = [one for one in behind if not _is_led(one, scene)]
    if not change.replaced:
        return Consequence(
            code="load-balancer-destroyed",
            effect=Effect.OUTAGE,
            name=f"load-balancer:{name}",
            says=f"the load balancer {name} is deleted for good: no more answers from {sites}",
            why=f"Terraform destroys it: {change.why}",
            then="the DNS records point to nothing until they are changed; a new load balancer gets another name",
            address=change.address,
            subject=subject,
        )
    if unled or not behind:
        names = ", ".join(sorted(filter(None, (one.hostname for one in unled)))) or "the sites"
        return Consequence(
            code="load-balancer-replaced",
            effect=Effect.OUTAGE,
            name=f"load-balancer:{name}",
            says=f"the load balancer {name} is recreated under a new name: no answer from {sites} until their DNS "
            "records point to it",
            why=f"Terraform replaces it: {change.why}",
            then=f"neither Terraform nor a DNS provider of the contract is known to hold the records of {names}: "
            "point them to the new name by hand",
            address=change.address,
            subject=subject,
        )
    return Consequence(
        code="load-balancer-replaced",
        effect=Effect.OUTAGE,
        name=f"load-balancer:{name}",
        says=f"the load balancer {name} is recreated under a new name: no answer from {sites} for about "
        f"{seconds // 60} minutes (TTL {ttl} s + {PROVISIONING + SWITCHING} s)",
        why=f"Terraform replaces it: {change.why}",
        then=f"{_switches(behind, scene)}; resolvers keep old answers for the TTL",
        address=change.address,
        subject=subject,
        seconds=seconds,
    )


def _switches(behind: list[ResourceOwner], scene: PlanReading) -> str:
    """Who leads the records to the new name: Terraform those that it holds, orchestrate the others."""
    held = [one for one in behind if _is_terraforms(one, scene)]
    if not held:
        return "orchestrate apply switches the DNS records to the new name"
    if len(held) == len(behind):
        return "Terraform, which holds the DNS records, points them to the new name"
    names = ", ".join(sorted(filter(None, (one.hostname for one in held))))
    return f"Terraform points the DNS records that it holds ({names}) to the new name, orchestrate apply the others"


def _is_led(one: ResourceOwner, scene: PlanReading) -> bool:
    """Whether somebody leads its record to the new load balancer: a provider of the contract, or Terraform itself."""
    return bool(one.dns) or _is_terraforms(one, scene)


def _is_terraforms(one: ResourceOwner, scene: PlanReading) -> bool:
    return any(record.is_for(plain(one.hostname)) for record in records_of(scene.before.everything()))


def _serves(change: ResourceChange) -> bool:
    """Whether a site is behind it: not the one that only redirects to HTTPS."""
    actions = change.before.get("default_action") or [{}]
    return bool(actions[0].get("type") != "redirect")


def _listener(change: ResourceChange) -> Consequence:
    port = change.was("port") or "?"
    seconds = LISTENER if change.replaced else None
    lasting = "for some seconds" if change.replaced else "any more"
    return Consequence(
        code="listener-replaced" if change.replaced else "listener-destroyed",
        effect=Effect.DISTURBANCE if change.replaced else Effect.OUTAGE,
        name=f"listener:{port}",
        says=f"nothing listens on port {port} of the load balancer {lasting}",
        why=f"Terraform {change.verb} the listener: {change.why}",
        then="its rules are recreated with it" if change.replaced else "no site behind it answers",
        address=change.address,
        seconds=seconds,
    )


KIND = Kind("Load balancer, listeners", judge)
