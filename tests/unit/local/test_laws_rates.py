"""Token buckets, and which one an operation takes from."""

from __future__ import annotations

import pytest

from orchestrator.local.laws.rates import Bucket, rate_of


def test_a_bucket_gives_what_is_in_it_and_fills_by_time_up_to_its_size() -> None:
    bucket = Bucket(size=3, refill=2, tokens=3, at=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.6) for _ in range(2)] == [True, False], "two a second"
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False], "no more than it holds"


@pytest.mark.parametrize(
    ("service", "operation", "figures"),
    [
        ("elbv2", "DescribeTargetHealth", (40, 10)),
        ("ecs", "DescribeServices", (100, 20)),
        ("ecs", "DescribeClusters", (50, 20)),
        ("ecs", "UpdateService", (50, 5)),
        ("ec2", "StopInstances", (5, 2)),
        ("ec2", "DescribeInstances", (100, 20)),
        ("ec2", "CreateTags", (50, 5)),
        ("route53", "ChangeResourceRecordSets", (5, 5)),
        ("route53", "GetChange", (10, 10)),
        ("rds", "DescribeDBInstances", None),
    ],
)
def test_an_operations_bucket(service: str, operation: str, figures: tuple[int, int] | None) -> None:
    rate = rate_of(service, operation)
    assert (rate and (rate.size, rate.refill)) == figures
