"""The load balancer and its listeners: its name is new each time it is made, and every site's record leads to it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.blueprint.changes import Change
from orchestrator.consequences.model import Consequence, Effect, Kind, Scenery

BALANCERS = ("aws_lb", "aws_alb", "aws_elb")
LISTENERS = ("aws_lb_listener", "aws_alb_listener")
PROVISIONING = 120
"""Seconds until a new load balancer answers (AWS says 2 to 3 minutes)."""
SWITCHING = 60
"""Seconds until changed records are at every name server."""
LISTENER = 10
"""Seconds between the old listener's end and the new one."""


def judge(scene: Scenery) -> Iterable[Consequence]:
    """What goes with its load balancer is not said again."""
    for change in scene.of(*BALANCERS):
        if change.ends:
            yield _balancer(change, scene)
    for change in scene.of(*LISTENERS):
        if change.ends and not scene.ends(change.before.get("load_balancer_arn")) and _serves(change):
            yield _listener(change)


def _balancer(change: Change, scene: Scenery) -> Consequence:
    name = change.was("name") or change.name
    hosts = sorted(filter(None, (one.hostname for one in scene.tenancy.tenants.values())))
    sites = f"{len(hosts)} sites ({', '.join(hosts)})" if hosts else "every site behind it"
    ttl = scene.tenancy.wait()
    seconds = ttl + PROVISIONING + SWITCHING
    if not change.replaced:
        return Consequence(
            code="load-balancer-destroyed",
            effect=Effect.OUTAGE,
            name=f"load-balancer:{name}",
            says=f"the load balancer {name} goes for good: {sites} no longer answer",
            why=f"Terraform destroys it: {change.why}",
            then="the DNS records lead nowhere until they are changed; a new one gets another name",
            address=change.address,
        )
    return Consequence(
        code="load-balancer-replaced",
        effect=Effect.OUTAGE,
        name=f"load-balancer:{name}",
        says=f"the load balancer {name} is made anew and gets a new name: {sites} don't answer for about "
        f"{seconds // 60} minutes (TTL {ttl} s + {PROVISIONING + SWITCHING} s)",
        why=f"Terraform replaces it: {change.why}",
        then="orchestrate apply switches the DNS records to the new name; old answers live on for the TTL",
        address=change.address,
        seconds=seconds,
    )


def _serves(change: Change) -> bool:
    """Whether a site is behind it: not the one that only redirects to HTTPS."""
    actions = change.before.get("default_action") or [{}]
    return bool(actions[0].get("type") != "redirect")


def _listener(change: Change) -> Consequence:
    port = change.was("port") or "?"
    seconds = LISTENER if change.replaced else None
    lasting = "for some seconds" if change.replaced else "any more"
    return Consequence(
        code="listener-replaced" if change.replaced else "listener-destroyed",
        effect=Effect.DISTURBANCE if change.replaced else Effect.OUTAGE,
        name=f"listener:{port}",
        says=f"nothing listens on port {port} of the load balancer {lasting}",
        why=f"Terraform {change.verb} the listener: {change.why}",
        then="its rules are made anew with it" if change.replaced else "no site behind it answers",
        address=change.address,
        seconds=seconds,
    )


KIND = Kind("Load balancer, listeners", judge)
