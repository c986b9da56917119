"""The health check asks for a page that nobody has."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.meddling import Console, Undo, meddled


def _change(console: Console) -> Iterator[Undo]:
    elb = console.client("elbv2")
    arns = [way["targetGroupArn"] for one in console.services() for way in one["loadBalancers"]]
    for group in elb.describe_target_groups(TargetGroupArns=arns)["TargetGroups"]:
        arn, path = group["TargetGroupArn"], group["HealthCheckPath"]
        elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/health")
        yield lambda arn=arn, path=path: elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath=path)  # type: ignore[misc]


FAULT = meddled("health-path", "the health check asks for /health", "Health Check Failures", _change)
