"""Rates: a bucket that is empty refuses with the service's own error, and fills again by its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from orchestrator.local.core.caller import OBSERVER
from orchestrator.local.dns import porkbun
from orchestrator.local.endpoint import client
from tests.local.local_cloud import LocalCloud
from tests.waiting import until

pytestmark = pytest.mark.cloud

Anybody = Callable[..., Any]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One whose buckets fill ten times as slowly as AWS's: faster than that anybody asks, on a busy machine too."""
    folder: Path = tmp_path_factory.mktemp("rates")
    running = client.up("rates", folder, speed=300, rates=0.1)
    try:
        yield LocalCloud(folder, running, client.ask(running, "env"))
    finally:
        client.down(folder)


def too_fast(cloud: LocalCloud) -> int:
    """How many calls were refused for their rate so far."""
    return sum(cloud.ask("status")["too_fast"].values())


CASES: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("elbv2", "describe_load_balancers", {}, 40, "Throttling"),
    ("ecs", "list_clusters", {}, 50, "ThrottlingException"),
    ("ec2", "describe_vpcs", {}, 100, "RequestLimitExceeded"),
    ("route53", "list_hosted_zones", {}, 50, "Throttling"),
    ("ssm", "describe_instance_information", {}, 10, "ThrottlingException"),
    ("rds", "describe_db_instances", {}, 10, "Throttling"),
    ("iam", "list_roles", {}, 10, "Throttling"),
    ("logs", "describe_log_groups", {}, 10, "ThrottlingException"),
    ("service-quotas", "list_service_quotas", {"ServiceCode": "vpc"}, 10, "TooManyRequestsException"),
    (
        "application-autoscaling",
        "describe_scalable_targets",
        {"ServiceNamespace": "ecs"},
        10,
        "ThrottlingException",
    ),
    ("elasticache", "describe_replication_groups", {}, 10, "Throttling"),
    ("acm", "list_certificates", {}, 8, "ThrottlingException"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "size", "code"), CASES, ids=[one[0] for one in CASES])
def test_it_refuses_who_asks_too_fast_and_answers_again(
    anybody: Anybody, cloud: LocalCloud, service: str, operation: str, parameters: dict[str, Any], size: int, code: str
) -> None:
    ask = getattr(anybody(service), operation)
    before = too_fast(cloud)

    def refused() -> str:
        try:
            ask(**parameters)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    assert [refused() for _ in range(size)] == [""] * size, "so many at once are answered"
    assert until("it is refused", refused, often=0) == code
    assert too_fast(cloud) == before + 1
    getattr(anybody(service, agent=OBSERVER), operation)(**parameters)
    until("it is answered again", lambda: not refused())


def test_each_operation_of_ec2_has_its_own_bucket(anybody: Anybody) -> None:
    ec2 = anybody("ec2")
    for _ in range(100):
        ec2.describe_subnets()
    assert ec2.describe_route_tables()["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.fixture(scope="module")
def zone(anybody: Anybody) -> str:
    made = anybody("route53", agent=OBSERVER).create_hosted_zone(Name="rates.test", CallerReference="rates")
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


def changes(number: int, action: str = "UPSERT") -> dict[str, Any]:
    record = {"Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    named = ({"Name": f"n{one}.rates.test", **record} for one in range(number))
    return {"Changes": [{"Action": action, "ResourceRecordSet": one} for one in named]}


def answered(anybody: Anybody, zone: str, batch: dict[str, Any]) -> set[str]:
    """What 24 such changes, eight at a time, are answered with: error codes, and nothing for a good answer."""
    route53 = anybody("route53")

    def change(_number: int) -> str:
        try:
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(change, range(24)))


def test_of_two_changes_of_one_zone_at_once_one_is_refused(anybody: Anybody, zone: str) -> None:
    assert "PriorRequestNotComplete" in answered(anybody, zone, changes(1))


def test_changes_of_records_count_themselves(anybody: Anybody, zone: str) -> None:
    """900 changes are looked at, and found to be of records that are not there; there are tokens for 1,500."""
    assert "Throttling" in answered(anybody, zone, changes(900, "DELETE"))


def test_porkbuns_too(cloud: LocalCloud) -> None:
    url = f"{cloud.running.endpoint}/_porkbun/api/json/v3/ping"
    before = too_fast(cloud)

    def asked() -> int:
        return urllib3.request("POST", url, json={}, retries=False, timeout=10).status

    assert [asked() for _ in range(porkbun.BURST + 2)] == [400] * porkbun.BURST + [503] * 2, "no key: it is looked at"
    assert too_fast(cloud) == before + 2
    until("it is answered again", lambda: asked() == 400)
