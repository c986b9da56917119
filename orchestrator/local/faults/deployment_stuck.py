"""A deployment that its own limits never let begin: of one task 100 % must stay, and no more than 100 % may be."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled

LIMITS = {"minimumHealthyPercent": 100, "maximumPercent": 100}


def _change(console: Console) -> Iterator[Undo]:
    yield from change_service(console, deploymentConfiguration=LIMITS)
    ecs = console.client("ecs")
    for one in console.services():
        ecs.update_service(cluster=one["clusterArn"], service=one["serviceName"], forceNewDeployment=True)


FAULT = meddled("deployment-stuck", "a deployment may neither start a task nor stop one", "", _change, restarts=False)
