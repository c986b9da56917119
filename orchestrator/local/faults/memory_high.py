"""The tasks use nearly all of their memory."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.measurements import measure


def _fill(console: Console) -> Iterator[Undo]:
    for one in console.services():
        cluster = one["clusterArn"].rsplit("/", 1)[-1]
        of = {"ClusterName": cluster, "ServiceName": one["serviceName"]}
        yield from measure("AWS/ECS", of, "MemoryUtilization", 97.0)


FAULT = meddled("memory-high", "the tasks use 97 % of their memory", "Resource Sizing Issues", _fill, restarts=False)
