"""Autoscaling keeps the service at 0: its scalable target's maximum is 0, and nobody raised it again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled

SCALED = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def _change(console: Console) -> Iterator[Undo]:
    scaling = console.client("application-autoscaling")
    for one in console.services():
        cluster = one["clusterArn"].rsplit("/", 1)[-1]
        target = {**SCALED, "ResourceId": f"service/{cluster}/{one['serviceName']}"}
        known = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[target["ResourceId"]])
        scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=0)
        before = next(iter(known["ScalableTargets"]), None)
        if before is None:
            yield partial(scaling.deregister_scalable_target, **target)
        else:
            limits = {name: before[name] for name in ("MinCapacity", "MaxCapacity")}
            yield partial(scaling.register_scalable_target, **target, **limits)
    yield from change_service(console, desiredCount=0)


FAULT = meddled("autoscaling-at-zero", "autoscaling's maximum is 0", "", _change, restarts=False)
