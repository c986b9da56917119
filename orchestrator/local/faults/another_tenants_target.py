"""A task of another tenant is registered in the tenant's target group, beside its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults import entrances
from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _register(console: Console) -> Iterator[Undo]:
    elb = console.client("elbv2")
    theirs = entrances.another(console)["loadBalancers"][0]["targetGroupArn"]
    found = elb.describe_target_health(TargetGroupArn=theirs)["TargetHealthDescriptions"]
    targets = [{"Id": one["Target"]["Id"], "Port": one["Target"]["Port"]} for one in found]
    for group in entrances.groups_of(console):
        elb.register_targets(TargetGroupArn=group, Targets=targets)
        yield partial(elb.deregister_targets, TargetGroupArn=group, Targets=targets)


FAULT = meddled("another-tenants-target", "another tenant's task is in the target group", "", _register, restarts=False)
