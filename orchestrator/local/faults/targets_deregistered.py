"""The tasks run, and somebody has taken them out of their target group: ECS puts only new tasks in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from orchestrator.errors import Problem, Refused
from orchestrator.local.core.waiting import eventually
from orchestrator.local.faults.manual_changes import SETTLE_SECONDS, Console, Undo, meddled


def _change(console: Console) -> Iterator[Undo]:
    elbv2 = console.client("elbv2")
    for one in console.services():
        for arn in [way["targetGroupArn"] for way in one["loadBalancers"]]:
            targets = eventually(partial(_registered, elbv2, arn), SETTLE_SECONDS)
            if not targets:
                raise Refused(Problem("fault-failed", f"nothing is registered in {arn}", "fault"))
            elbv2.deregister_targets(TargetGroupArn=arn, Targets=targets)
            yield partial(elbv2.register_targets, TargetGroupArn=arn, Targets=targets)


def _registered(elbv2: Any, group: str) -> list[Any]:
    seen = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [health["Target"] for health in seen if health["TargetHealth"]["State"] not in ("draining", "unused")]


FAULT = meddled("targets-deregistered", "tasks run that no target group has", "", _change, restarts=False)
