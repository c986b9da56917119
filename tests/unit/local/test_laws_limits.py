from __future__ import annotations

from typing import Any

import pytest

from orchestrator.local.laws.limits import broken, limits_of

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/0123456789abcdef"


def batch(number: int, *, action: str = "CREATE", value: str = "192.0.2.1", values: int = 1) -> dict[str, Any]:
    sets = [
        {"Name": f"{n}.example.", "Type": "A", "ResourceRecords": [{"Value": value}] * values} for n in range(number)
    ]
    return {"ChangeBatch": {"Changes": [{"Action": action, "ResourceRecordSet": one} for one in sets]}}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "refusal"),
    [
        ("ecs", "DescribeServices", {"services": ["a"] * 10}, ""),
        ("ecs", "DescribeServices", {"services": ["a"] * 11}, "service names can have at most 10 items."),
        ("ecs", "DescribeServices", {}, ""),
        ("ecs", "DescribeTasks", {"tasks": ["a"] * 101}, "taskIds can have at most 100 items."),
        ("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [ARN] * 20}, ""),
        (
            "elbv2",
            "DescribeTargetGroups",
            {"TargetGroupArns": [ARN] * 21},
            "You cannot describe more than '20' target groups at a time",
        ),
        (
            "elbv2",
            "DescribeLoadBalancers",
            {"LoadBalancerArns": [ARN] * 34},
            "Up to 20 load balancers can be described at a time, but 34 were specified",
        ),
        ("route53", "ChangeResourceRecordSets", batch(1000), ""),
        ("route53", "ChangeResourceRecordSets", batch(1001), "[Number of records limit of 1000 exceeded.]"),
        ("route53", "ChangeResourceRecordSets", batch(500, action="UPSERT"), ""),
        (
            "route53",
            "ChangeResourceRecordSets",
            batch(501, action="UPSERT"),
            "[Number of records limit of 1000 exceeded.]",
        ),
        ("route53", "ChangeResourceRecordSets", batch(10, values=101), "[Number of records limit of 1000 exceeded.]"),
        ("route53", "ChangeResourceRecordSets", batch(320, value="x" * 100), ""),
        (
            "route53",
            "ChangeResourceRecordSets",
            batch(161, value="x" * 100, action="UPSERT"),
            "[RDATA character limit of 32000 exceeded.]",
        ),
    ],
)
def test_a_call_beyond_a_limit_is_refused_in_aws_words(
    service: str, operation: str, parameters: dict[str, Any], refusal: str
) -> None:
    found = broken(limits_of(service, operation), parameters)
    assert (found.message if found else "") == refusal


def test_an_operation_without_a_row_has_no_limit() -> None:
    assert not limits_of("ecs", "UpdateService")
