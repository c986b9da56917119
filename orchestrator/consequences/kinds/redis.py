"""Redis: sessions, locks and task queues; while it is away nobody gets in, and what was queued is gone."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.stack.blueprint.changes import ResourceChange

GROUPS = ("aws_elasticache_replication_group", "aws_elasticache_cluster", "aws_elasticache_serverless_cache")
REBUILDING = 600
"""Seconds until a new replication group is available, about."""
_SCALES = ("node_type", "engine_version", "num_cache_clusters")


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Replaced or gone is an outage; in place, a failover."""
    for change in scene.of(*GROUPS):
        if change.ends:
            yield _gone(change)
        elif change.updated and any(change.differs(name) for name in _SCALES):
            yield _changed(change)


def _name(change: ResourceChange) -> str:
    return change.was("replication_group_id") or change.was("cluster_id") or change.was("name") or change.name


def _gone(change: ResourceChange) -> Consequence:
    lasting = f"for about {REBUILDING // 60} minutes" if change.replaced else "any more"
    return Consequence(
        code="redis-replaced" if change.replaced else "redis-destroyed",
        effect=Effect.OUTAGE,
        name=f"redis:{_name(change)}",
        says=f"no site works without Redis ({_name(change)}) {lasting}; queued work and sessions are lost",
        why=f"Terraform {change.verb} it: {change.why}",
        then="orchestrate apply sets the new group's token; connectors index again what was queued"
        if change.replaced
        else "nothing is left to connect to",
        address=change.address,
        seconds=REBUILDING if change.replaced else None,
    )


def _changed(change: ResourceChange) -> Consequence:
    what = ", ".join(
        f"{name} {change.was(name)} → {change.after.get(name)}" for name in _SCALES if change.differs(name)
    )
    return Consequence(
        code="redis-changes",
        effect=Effect.DISTURBANCE,
        name=f"redis:{_name(change)}",
        says=f"Redis ({_name(change)}) fails over once: requests fail for some seconds",
        why=f"changed in place: {what}",
        then="tasks connect again by themselves",
        address=change.address,
        seconds=30,
    )


KIND = Kind("Redis", judge)
