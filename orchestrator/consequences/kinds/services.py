"""Services and clusters: what restarts, what goes, what is scaled to nothing."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.stack.blueprint.changes import ResourceChange
from orchestrator.stack.blueprint.resources import UNKNOWN
from orchestrator.stack.blueprint.tenancy import containers

BOOTING = 600
"""Seconds from a task's start to its first answer, about: migrations, then the load balancer's health checks."""
_ROLLS = (
    "task_definition", "network_configuration", "load_balancer", "platform_version", "force_new_deployment",
    "capacity_provider_strategy", "volume_configuration", "service_registries",
)  # fmt: skip
"""Attributes whose change makes ECS start a new deployment."""


_UNKNOWN = "its new containers are not known until applied"
_AFTER_IMAGES = "another version migrates its database as it starts, which can't be undone"


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """A cluster's end says it for its services."""
    ended = [change for change in scene.of("aws_ecs_cluster") if change.ends]
    for change in ended:
        yield _cluster(change)
    for change in scene.of("aws_ecs_service"):
        tenant = scene.owner(change)
        if change.ends and not change.replaced and not scene.ends(change.before.get("cluster")):
            yield _gone(change, tenant)
        elif change.replaced and not scene.ends(change.before.get("cluster")):
            yield _replaced(change, tenant)
        elif change.updated:
            yield from _updated(change, tenant, scene)


def _name(change: ResourceChange) -> str:
    return change.was("name") or change.name


def _cluster(change: ResourceChange) -> Consequence:
    lasting = f"for about {BOOTING // 60} minutes" if change.replaced else "any more"
    return Consequence(
        code="cluster-replaced" if change.replaced else "cluster-destroyed",
        effect=Effect.OUTAGE,
        name=f"cluster:{_name(change)}",
        says=f"no site answers {lasting}: the cluster {_name(change)} is deleted with all its services",
        why=f"Terraform {change.verb} it: {change.why}",
        then="orchestrate apply waits until the new services are up" if change.replaced else "nothing runs afterwards",
        address=change.address,
        seconds=BOOTING if change.replaced else None,
    )


_WORK = "and with it what it does in the background"
_IDLE = "nothing is done in the background any more"


def _serves(change: ResourceChange) -> bool:
    """Whether a load balancer leads to it, as far as that is known."""
    return bool(change.before.get("load_balancer")) or "load_balancer" not in change.before


def _silent(change: ResourceChange) -> str:
    return "the site doesn't answer" if _serves(change) else "nothing is done in the background"


def _gone(change: ResourceChange, tenant: str) -> Consequence:
    return Consequence(
        code="service-destroyed",
        effect=Effect.OUTAGE,
        name=f"service:{_name(change)}",
        says=f"the service {_name(change)} is deleted for good, {'and its site with it' if _serves(change) else _WORK}",
        why=f"Terraform destroys it: {change.why}",
        then="its database stays on the server until somebody drops it; its DNS record stays until it is removed",
        address=change.address,
        subject=tenant,
    )


def _replaced(change: ResourceChange, tenant: str) -> Consequence:
    return Consequence(
        code="service-replaced",
        effect=Effect.OUTAGE,
        name=f"service:{_name(change)}",
        says=f"{_silent(change)} for about {BOOTING // 60} minutes: {_name(change)} is stopped and recreated",
        why=f"Terraform replaces it: {change.why}",
        then="orchestrate apply waits until it answers again",
        address=change.address,
        subject=tenant,
        seconds=BOOTING,
    )


def _updated(change: ResourceChange, tenant: str, scene: PlanReading) -> Iterable[Consequence]:
    before, after = change.before.get("desired_count"), change.after.get("desired_count")
    if after == 0 and before:
        yield Consequence(
            code="service-scaled-to-zero",
            effect=Effect.OUTAGE,
            name=f"service:{_name(change)}",
            says=f"{'the site no longer answers' if _serves(change) else _IDLE}: {_name(change)} is scaled to 0 tasks",
            why=f"desired_count {before} → 0",
            then="orchestrate pause does it in a way that can be resumed",
            address=change.address,
            subject=tenant,
        )
        return
    differing = [name for name in _ROLLS if change.differs(name)]
    if differing and before != 0:
        images = _images(change, scene)
        yield Consequence(
            code="service-restarts",
            effect=Effect.RESTART,
            name=f"service:{_name(change)}",
            says=f"{_name(change)} restarts: new tasks start alongside the old ones, which stop when the new ones "
            "answer",
            why="; ".join((f"changed: {', '.join(differing)}", *images)),
            then=(f"if it is another version: {_AFTER_IMAGES}" if images == [_UNKNOWN] else _AFTER_IMAGES)
            if images
            else "nothing",
            address=change.address,
            subject=tenant,
            seconds=BOOTING,
        )


def _images(change: ResourceChange, scene: PlanReading) -> list[str]:
    """What the images become, of the task definition that the service uses now; silent where it is not known."""
    for one in scene.of("aws_ecs_task_definition"):
        if one.before.get("arn") == change.before.get("task_definition"):
            old, new = containers(one.before), containers(one.after)
            if old is None or new is None:
                known = one.after.get("container_definitions") is not UNKNOWN
                return [] if known else [_UNKNOWN]
            images = {str(it.get("name")): str(it.get("image")) for it in old}
            return [
                f"{it.get('name')}: {images.get(str(it.get('name')), 'new')} → {it.get('image')}"
                for it in new
                if images.get(str(it.get("name"))) != it.get("image")
            ]
    return []


KIND = Kind("Services, clusters, task definitions", judge)
