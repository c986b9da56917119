"""The tenant's service runs another tenant's task definition: its site shows that one's documents."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults import entrances
from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _confuse(console: Console) -> Iterator[Undo]:
    ecs, other = console.client("ecs"), entrances.another(console)["taskDefinition"]
    for one in console.services():
        target = {"cluster": one["clusterArn"], "service": one["serviceName"]}
        ecs.update_service(**target, taskDefinition=other)
        yield partial(ecs.update_service, **target, taskDefinition=one["taskDefinition"])


FAULT = meddled(
    "another-tenants-definition", "the service runs another tenant's task definition", "", _confuse, restarts=False
)
