"""Nobody is let in to Redis any more."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, close_port, meddled


def _close(console: Console) -> Iterator[Undo]:
    clusters = console.client("elasticache").describe_cache_clusters()["CacheClusters"]
    groups = {group["SecurityGroupId"] for one in clusters for group in one.get("SecurityGroups", ())}
    yield from close_port(console, sorted(groups), 6379)


FAULT = meddled(
    "redis-port-closed", "Redis's security group admits nobody", "Redis/Cache Issues", _close, per_tenant=False
)
