"""The tasks run, and somebody has taken them out of their target group: ECS puts only new tasks in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _change(console: Console) -> Iterator[Undo]:
    elbv2 = console.client("elbv2")
    for one in console.services():
        for way in one["loadBalancers"]:
            arn = way["targetGroupArn"]
            seen = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            targets = [health["Target"] for health in seen if health["TargetHealth"]["State"] != "draining"]
            if targets:
                elbv2.deregister_targets(TargetGroupArn=arn, Targets=targets)
                yield partial(elbv2.register_targets, TargetGroupArn=arn, Targets=targets)


FAULT = meddled("targets-deregistered", "tasks run that no target group has", "", _change, restarts=False)
