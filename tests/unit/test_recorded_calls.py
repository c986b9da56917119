"""What `tests.recorded_calls` says of the record of a run's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.local.core.caller import OBSERVER
from tests import recorded_calls

AGENT = "Boto3/1.44.8 md/Botocore#1.44.8 onyx-orchestrator"


def said(operation: str, way: str = "", sizes: Mapping[str, int] | None = None, agent: str = AGENT) -> list[str]:
    record: dict[str, Any] = {
        "agent": f"{agent} {way}".strip(),
        "operation": operation,
        "calls": 1,
        "sizes": sizes or {},
    }
    return recorded_calls.complaints([record])


@pytest.mark.parametrize(
    ("operation", "way", "sizes"),
    [
        ("ecs.ListTasks", "way/batched,paged", {}),
        ("ecs.DescribeServices", "way/batched", {"services": 3}),
        ("ecs.DescribeTaskDefinition", "", {"include": 1}),
        ("elbv2.DescribeTargetGroups", "way/batched,paged", {"TargetGroupArns": 1}),
        ("ecs.UpdateService", "way/once", {}),
        ("s3.PutObject", "", {}),
        ("ssm.SendCommand", "way/batched,once", {"InstanceIds": 1}),
        ("sts.GetCallerIdentity", "", {}),
    ],
)
def test_a_call_that_goes_as_it_must(operation: str, way: str, sizes: dict[str, int]) -> None:
    assert said(operation, way, sizes) == []


@pytest.mark.parametrize(
    ("operation", "way", "sizes", "what"),
    [
        ("ecs.ListTasks", "", {}, "the pager"),
        ("ec2.DescribeInstances", "way/batched", {"InstanceIds": 1}, "the pager"),
        ("ecs.DescribeServices", "", {"services": 1}, "the batcher"),
        ("ec2.DescribeAddresses", "", {"Filters": 1}, "the batcher"),
        ("ssm.GetParameters", "", {"Names": 1}, "the batcher"),
        ("ecs.UpdateService", "", {}, "may send it again"),
        ("ecs.StartTask", "way/once", {}, "nothing says"),
        ("kms.GetKeyPolicy", "", {}, "no row"),
    ],
)
def test_a_call_that_went_around(operation: str, way: str, sizes: dict[str, int], what: str) -> None:
    (line,) = said(operation, way, sizes)
    assert operation in line
    assert what in line


def test_nobody_who_is_tested_bears_the_observers_mark() -> None:
    (line,) = said("sts.GetCallerIdentity", agent=f"{AGENT} {OBSERVER}")
    assert "observer" in line


def test_others_make_their_calls_as_they_like() -> None:
    assert said("ecs.ListTasks", agent="aws-sdk-go-v2/1.30 APN/1.0 HashiCorp/1.0 Terraform/1.11.4") == []
    assert said("ecs.ListTasks", agent=f"Boto3/1.44.8 {OBSERVER}") == []
