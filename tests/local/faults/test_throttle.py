"""The fault `throttle`: refused in each service's protocol, survived by botocore's retries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orchestrator.local.core.throttle import HARD, HARD_ATTEMPTS, Throttle
from tests.local.local_cloud import Aws, LocalCloud

ONCE = Config(retries={"total_max_attempts": 1})
PATIENT = Config(retries={"total_max_attempts": HARD_ATTEMPTS + 1, "mode": "standard"})

CALLS = [
    ("ecs", "list_clusters", "ThrottlingException"),
    ("ssm", "describe_parameters", "ThrottlingException"),
    ("secretsmanager", "list_secrets", "ThrottlingException"),
    ("acm", "list_certificates", "ThrottlingException"),
    ("logs", "describe_log_groups", "ThrottlingException"),
    ("rds", "describe_db_instances", "Throttling"),
    ("elbv2", "describe_load_balancers", "Throttling"),
    ("elasticache", "describe_replication_groups", "Throttling"),
    ("iam", "list_roles", "Throttling"),
    ("sts", "get_caller_identity", "Throttling"),
    ("route53", "list_hosted_zones", "Throttling"),
    ("ec2", "describe_instances", "RequestLimitExceeded"),
    ("s3", "list_buckets", "SlowDown"),
]


@pytest.fixture
def throttled(cloud: LocalCloud) -> Iterator[None]:
    cloud.ask("faults", "POST", name="throttle")
    yield
    cloud.ask("faults", "DELETE", name="throttle")


@pytest.mark.cloud
@pytest.mark.usefixtures("throttled")
@pytest.mark.parametrize(("service", "operation", "code"), CALLS)
def test_refused_in_its_own_protocol_and_survived_by_retries(aws: Aws, service: str, operation: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service, config=ONCE), operation)()
    assert refused.value.response["Error"]["Code"] == code
    answer = getattr(aws.client(service, config=PATIENT), operation)()
    assert answer["ResponseMetadata"]["RetryAttempts"] >= 1


@pytest.mark.cloud
def test_cleared_it_is_not_felt(cloud: LocalCloud, aws: Aws) -> None:
    cloud.ask("faults", "POST", name="throttle")
    cloud.ask("faults", "DELETE")
    assert aws.client("ecs", config=ONCE).list_clusters()["clusterArns"] == []


def attempts_refused(throttle: Throttle, service: str, invocation: str) -> int:
    """How often one call is refused by a client that never gives up."""
    number = 1
    while throttle.refuses(service, invocation=invocation, sdk_request=f"attempt={number}; max=99"):
        number += 1
    return number - 1


def test_every_call_is_refused_once_and_some_longer_than_botocore_tries() -> None:
    throttle = Throttle()
    refused = [attempts_refused(throttle, "ecs", f"call-{number}") for number in range(HARD * 2)]
    assert refused == [*[1] * (HARD - 1), HARD_ATTEMPTS] * 2


def test_calls_that_are_not_polled_are_refused_once_only() -> None:
    throttle = Throttle()
    assert {attempts_refused(throttle, "sts", f"call-{number}") for number in range(HARD * 2)} == {1}


def test_a_caller_that_does_not_count_its_attempts_is_refused_every_second_time() -> None:
    throttle = Throttle()
    assert [throttle.refuses("ecs", invocation="", sdk_request="") for _ in range(4)] == [True, False, True, False]
