"""Search indexes: each is on a volume, its own or the instance's; without it everything has to be indexed again."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.engine.step import Subject
from orchestrator.index import provider
from orchestrator.stack.blueprint.changes import ResourceChange
from orchestrator.stack.indexes import KINDS, OPENSEARCH, VESPA, word

REPLACING = 300
"""Seconds until a new instance has pulled its image and the index answers, about."""
_STOPS = ("instance_type", "user_data", "ebs_optimized")


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """A volume that goes is a loss; an instance that goes is one only where the index was on it."""
    for change in scene.of("aws_ebs_volume", "aws_efs_file_system"):
        if change.ends:
            yield from (_volume(change, *one) for one in _attached(change, scene))
    for change in scene.of("aws_instance"):
        for tenant, kind in _whose(change.was("id"), scene) or [(scene.owner(change), _called(change))]:
            if change.ends and not scene.leaves(tenant):
                yield from _instance(change, tenant, kind, scene)
            elif change.updated and any(change.differs(name) for name in _STOPS):
                yield _stopped(change, tenant, kind)


def _whose(instance: str, scene: PlanReading) -> list[tuple[Subject, str]]:
    """The tenants whose index it is, and of which kind: each has lost its index with it."""
    owners = scene.tenancy.tenants.values() if instance else ()
    return [(one.name, kind) for one in owners for kind in KINDS if getattr(one, kind) == instance]


def _called(change: ResourceChange) -> str:
    """The kind that what nobody's contract names is called after; empty: none."""
    words = f"{change.address} {change.before.get('tags')}".lower()
    return next((kind for kind in (OPENSEARCH, VESPA) if kind in words), "")


def _volume(change: ResourceChange, tenant: Subject, kind: str) -> Consequence:
    thing = change.was("id") or change.name
    return Consequence(
        code="search-index-lost" if tenant else "volume-lost",
        effect=Effect.LOSS,
        name=word(kind or VESPA, tenant) if tenant else f"volume:{thing}",
        says="the search index is lost: every document has to be indexed again"
        if tenant
        else f"the volume {thing} is deleted with what is on it",
        why=f"Terraform {change.verb} its volume {thing}: {change.why}",
        then="connectors fetch and index everything again, which costs hours and embeddings" if tenant else "nothing",
        address=change.address,
        subject=tenant,
    )


def _attached(change: ResourceChange, scene: PlanReading) -> list[tuple[Subject, str]]:
    """The tenants of the instance that the volume is attached to; nobody's is the whole stack's."""
    for one in scene.there("aws_volume_attachment"):
        if one.text("volume_id") == change.was("id") and (found := _whose(one.text("instance_id"), scene)):
            return found
    return [(scene.owner(change), _called(change))]


def _instance(change: ResourceChange, tenant: Subject, kind: str, scene: PlanReading) -> Iterable[Consequence]:
    thing = change.was("id") or change.name
    why = f"Terraform {change.verb} the instance {thing}: {change.why}"
    volumes = [one.get("volume_id") for one in scene.there("aws_volume_attachment") if one.text("instance_id") == thing]
    if any(map(scene.ends, volumes)):
        return
    index = provider(kind or VESPA)
    if not tenant and not kind:
        yield Consequence(
            code="instance-replaced",
            effect=Effect.WORK,
            name=f"instance:{thing}",
            says=f"the instance {thing} is deleted with what is on its own disk",
            why=why,
            then="no part of the sites runs on it, as far as its tags and the contract say",
            address=change.address,
        )
    elif volumes:
        lasting = f"for about {REPLACING // 60} minutes" if change.replaced else "any more"
        yield Consequence(
            code="search-interrupted",
            effect=Effect.DISTURBANCE,
            name=f"{index.name}-instance:{tenant or thing}",
            says=f"search and chat don't work {lasting}; the index stays, on its own volume",
            why=why,
            then=f"{index.title} starts by itself on the new instance" if change.replaced else "nothing",
            address=change.address,
            subject=tenant,
            seconds=REPLACING,
        )
    else:
        yield Consequence(
            code="search-index-lost",
            effect=Effect.LOSS,
            name=word(index.name, tenant or thing),
            says="the search index is lost with the instance it is on: every document has to be indexed again",
            why=why,
            then=f"connectors fetch and index everything again; a volume of its own for {index.data} would outlive it",
            address=change.address,
            subject=tenant,
        )


def _stopped(change: ResourceChange, tenant: Subject, kind: str) -> Consequence:
    index = provider(kind or VESPA)
    thing = change.was("id") or change.name
    differing = ", ".join(name for name in _STOPS if change.differs(name))
    return Consequence(
        code="search-interrupted" if tenant else "instance-restarts",
        effect=Effect.DISTURBANCE,
        name=f"{index.name}-instance:{tenant or thing}",
        says=f"the instance {thing} is stopped and started: "
        + (
            "search and chat don't work for some minutes"
            if tenant
            else "what runs on it is unavailable for some minutes"
        ),
        why=f"changed in place: {differing}",
        then=f"{index.title} starts by itself if its container has a restart policy",
        address=change.address,
        subject=tenant,
        seconds=REPLACING,
    )


KIND = Kind("Search indexes' volumes and instances", judge)
