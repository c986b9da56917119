from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest

from orchestrator.local.laws.limit_rows import ROWS, Limit
from orchestrator.local.laws.limits import broken, limits_of

SESSION = botocore.session.get_session()
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOSTS = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example", "b.example", "c.example"]}}
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
        ("ec2", "DescribeVolumes", {"Filters": [{"Name": "a", "Values": ["x"] * 100}] * 2}, ""),
        (
            "ec2",
            "DescribeTags",
            {"Filters": [{"Name": "a", "Values": ["x"] * 100}, {"Name": "b", "Values": ["x"] * 101}]},
            "The maximum number of filter values specified on a single call is 200",
        ),
        (
            "ec2",
            "DescribeInstances",
            {"MaxResults": 4},
            "Value ( 4 ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.",
        ),
        ("ec2", "DescribeInstances", {"MaxResults": 5}, ""),
        (
            "ec2",
            "DescribeVolumes",
            {"MaxResults": 50, "VolumeIds": ["vol-1"]},
            "The parameter volumeSet cannot be used with the parameter maxResults",
        ),
        (
            "rds",
            "DescribeDBInstances",
            {"MaxRecords": 10},
            "Invalid value 10 for MaxRecords. Must be between 20 and 100",
        ),
        ("rds", "DescribeDBInstances", {}, ""),
        ("secretsmanager", "PutSecretValue", {"SecretString": "é" * 32_768}, ""),
        (
            "secretsmanager",
            "PutSecretValue",
            {"SecretString": "é" * 32_769},
            (
                "1 validation error detected: Value at 'secretString' failed to satisfy constraint: "
                "Member must have length less than or equal to 65536"
            ),
        ),
        ("ssm", "PutParameter", {"Value": "x" * 4096}, ""),
        (
            "ssm",
            "PutParameter",
            {"Value": "x" * 4097},
            (
                "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
                "parameter value, upgrade the parameter to use the advanced-parameter tier."
            ),
        ),
        ("ssm", "PutParameter", {"Value": "x" * 8192, "Tier": "Advanced"}, ""),
        (
            "ssm",
            "PutParameter",
            {"Value": "x" * 8193, "Tier": "Advanced"},
            "Advanced tier parameters support a maximum parameter value of 8192 characters.",
        ),
        (
            "s3",
            "DeleteObjects",
            {"Delete": {"Objects": [{"Key": "a"}] * 1001}},
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        (
            "cloudwatch",
            "GetMetricData",
            {"MetricDataQueries": [{"Id": "a"}] * 501},
            "The collection MetricDataQueries must not have a size greater than 500.",
        ),
        (
            "cloudwatch",
            "GetMetricStatistics",
            {"StartTime": NOON, "EndTime": NOON + timedelta(days=1, minutes=1), "Period": 60},
            (
                "You have requested up to 1441 datapoints, which exceeds the limit of 1440. You may reduce the "
                "datapoints requested by increasing Period, or decreasing the time range."
            ),
        ),
        ("elbv2", "CreateRule", {"Conditions": [HOSTS, {"Field": "path-pattern", "Values": ["/"] * 2}]}, ""),
        (
            "elbv2",
            "CreateRule",
            {"Conditions": [HOSTS, {"Field": "path-pattern", "Values": ["/"] * 3}]},
            "A rule can only have '5' condition values",
        ),
        (
            "ecs",
            "RunTask",
            {"overrides": {"containerOverrides": [{"command": ["x" * 8192]}]}},
            "Container Overrides length must be at most 8192",
        ),
        ("ssm", "SendCommand", {"Parameters": {"commands": ["x" * 60_000]}}, ""),
        (
            "ssm",
            "SendCommand",
            {"Parameters": {"commands": ["x" * 65_536]}},
            "The size of the parameters exceeds the maximum of 65536 bytes.",
        ),
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


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.service}-{min(row.operations)}-{row.what}")
def test_a_row_is_about_operations_that_exist_and_says_who_says_so(row: Limit) -> None:
    known = set(SESSION.get_service_model(row.service).operation_names)
    assert row.operations == {"*"} or row.operations <= known
    assert row.source.startswith("https://docs.aws.amazon.com/")
