"""Token buckets, which ones a call takes from, and that what is refused is read as a refusal of its rate."""

from __future__ import annotations

import inspect
import re
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ThrottledRetryableChecker

from orchestrator.aws.errors import problem_of
from orchestrator.errors import Transient
from orchestrator.local.core.bucket import Bucket
from orchestrator.local.core.throttle import words_of
from orchestrator.local.laws import rates
from orchestrator.local.laws.rate_rows import NOT_PUBLISHED, ROWS, Rate, rates_of
from orchestrator.policy import backups, commands, pausing

SESSION = botocore.session.get_session()


def test_a_bucket_gives_what_is_in_it_and_fills_by_time_up_to_its_size() -> None:
    now = 0.0
    bucket = Bucket(size=3, refill=2, clock=lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now = 0.6
    assert [bucket.take() for _ in range(2)] == [True, False], "two a second"
    now = 100.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False], "no more than it holds"


def test_what_costs_more_than_is_left_takes_nothing() -> None:
    bucket = Bucket(size=3, refill=1, clock=lambda: 0.0)
    assert [bucket.take(2), bucket.take(2), bucket.take(1)] == [True, False, True]


@pytest.mark.parametrize(
    ("service", "operation", "figures"),
    [
        ("elbv2", "DescribeTargetHealth", [(40, 10), (40, 10)]),
        ("elbv2", "ModifyLoadBalancerAttributes", [(20, 3), (40, 10)]),
        ("elbv2", "RegisterTargets", [(20, 4), (40, 10)]),
        ("ecs", "DescribeServices", [(100, 20)]),
        ("ecs", "DescribeTaskDefinition", [(50, 20)]),
        ("ecs", "DescribeClusters", [(50, 20)]),
        ("ecs", "UpdateService", [(50, 5)]),
        ("ec2", "StartInstances", [(5, 2)]),
        ("ec2", "StopInstances", [(50, 5)]),
        ("ec2", "DescribeInstances", [(100, 20)]),
        ("ec2", "CreateTags", [(100, 10)]),
        ("ec2", "CreateSnapshot", [(100, 5)]),
        ("route53", "ChangeResourceRecordSets", [(50, 10), (50, 10), (1500, 100)]),
        ("route53", "GetChange", [(50, 10), (50, 10)]),
        ("route53", "CreateHostedZone", [(40, 2), (50, 10)]),
        ("secretsmanager", "GetSecretValue", [(10_000, 10_000)]),
        ("service-quotas", "GetServiceQuota", [(5, 5)]),
        ("sts", "GetCallerIdentity", [(600, 600)]),
        ("logs", "FilterLogEvents", [(10, 10)]),
        ("rds", "DescribeDBInstances", [(10, 5)]),
        ("s3", "PutObject", []),
    ],
)
def test_the_buckets_of_an_operation(service: str, operation: str, figures: list[tuple[int, float]]) -> None:
    assert [(rate.size, rate.refill) for rate in rates_of(service, operation)] == figures


def test_an_upsert_counts_as_two_changes() -> None:
    (changes,) = [rate for rate in ROWS if rate.counts_changes]
    batch = {"ChangeBatch": {"Changes": [{"Action": action} for action in ("UPSERT", "CREATE", "DELETE")]}}
    assert changes.cost(batch) == 4


@pytest.mark.parametrize("rate", ROWS, ids=lambda rate: f"{rate.service} {rate.operations[0]}")
def test_a_row_is_of_operations_that_there_are_and_says_who_says_so(rate: Rate) -> None:
    names = SESSION.get_service_model(rate.service).operation_names
    assert any(rate in rates_of(rate.service, name) for name in names), "a row before it fits all of these"
    assert rate.source.startswith("https://docs.aws.amazon.com/") if rate.published else rate.source == NOT_PUBLISHED


@pytest.mark.parametrize("service", sorted({rate.service for rate in ROWS} | {"s3"}))
def test_its_refusal_is_read_as_one_of_its_rate(service: str) -> None:
    said = words_of(service, SESSION.get_service_model(service).protocol)
    answer: Any = {"Error": {"Code": said.code, "Message": said.message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    known: list[str] = vars(ThrottledRetryableChecker)["_THROTTLED_ERROR_CODES"]
    assert said.code in known, "botocore sends it again"
    found = problem_of(ClientError(answer, "Anything"), f"{service}:Anything")
    assert (type(found), found.problems[0].code) == (Transient, "throttled")


SIGNED_AS = {"elasticloadbalancing": "elbv2", "servicequotas": "service-quotas"}
NO_CALLS = {"ec2:CreateAction", "ecs:cluster"}
"""Keys of conditions."""
SOCKETS = {"ssmmessages"}
"""What a session speaks over: no API with requests."""


def test_every_call_of_the_product_has_a_rate() -> None:
    sources = "".join(map(inspect.getsource, (commands, pausing, backups)))
    actions = {tuple(one.split(":")) for one in set(re.findall(r'"([a-z0-9-]+:[A-Z]\w+)"', sources)) - NO_CALLS}
    without = {
        f"{service}:{operation}"
        for service, operation in actions
        if service not in SOCKETS | {"s3", "route53"} and not rates_of(SIGNED_AS.get(service, service), operation)
    }
    assert len(actions) > 60
    assert without == set()


def test_the_page_of_laws_tells_them_all_and_what_has_none() -> None:
    told = [row.subject for row in rates.LAW.rows()]
    assert len(told) == len(set(told))
    assert {"s3", "Porkbun, every request"} <= set(told)
