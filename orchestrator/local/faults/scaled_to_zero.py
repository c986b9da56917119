"""The service's desired count is 0."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.meddling import Console, Undo, meddled


def _scale(console: Console) -> Iterator[Undo]:
    ecs = console.client("ecs")
    for one in console.services():
        target = {"cluster": one["clusterArn"], "service": one["serviceName"]}
        ecs.update_service(**target, desiredCount=0)
        yield lambda target=target, one=one: ecs.update_service(**target, desiredCount=one["desiredCount"])  # type: ignore[misc]


FAULT = meddled("scaled-to-zero", "the desired count is 0", "Troubleshooting Flowchart", _scale, restarts=False)
