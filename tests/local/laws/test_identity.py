"""The law `identity`: sessions end, codes are asked for, another account and another region are other worlds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestrator.local.endpoint import client
from orchestrator.local.laws.identity import CODE
from tests.local.local_cloud import LocalCloud, aws_of

pytestmark = pytest.mark.cloud

HERE, THERE = "123456789012", "210987654321"
DEVICE = f"arn:aws:iam::{HERE}:mfa/me"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder: Path = tmp_path_factory.mktemp("identity")
    running = client.up("identity", folder / "cloud", speed=200)
    try:
        yield LocalCloud(folder / "cloud", running, client.ask(running, "env"))
    finally:
        client.down(folder / "cloud")


def assumed(cloud: LocalCloud, role: str = f"arn:aws:iam::{HERE}:role/ops", **more: Any) -> boto3.Session:
    sts = aws_of(cloud).client("sts")
    given = sts.assume_role(RoleArn=role, RoleSessionName="me", **more)["Credentials"]
    keys = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    return boto3.Session(*keys, region_name="us-west-2")


def of(session: boto3.Session, cloud: LocalCloud, service: str, region: str = "us-west-2") -> Any:
    make: Any = session.client
    return make(service, endpoint_url=cloud.running.endpoint, region_name=region)


CALLS = {
    "sts": ("get_caller_identity", "ExpiredToken"),
    "ecs": ("list_clusters", "ExpiredTokenException"),
    "ssm": ("describe_instance_information", "ExpiredTokenException"),
    "ec2": ("describe_instances", "RequestExpired"),
    "rds": ("describe_db_instances", "ExpiredToken"),
    "s3": ("list_buckets", "ExpiredToken"),
    "route53": ("list_hosted_zones", "ExpiredToken"),
}


def test_a_session_ends_everywhere_and_a_new_one_begins(cloud: LocalCloud) -> None:
    session = assumed(cloud)
    for service, (call, _) in CALLS.items():
        getattr(of(session, cloud, service), call)()
    cloud.ask("faults", "POST", name="session-ended")
    for service, (call, code) in CALLS.items():
        with pytest.raises(ClientError) as refused:
            getattr(of(session, cloud, service), call)()
        assert refused.value.response["Error"]["Code"] == code, service
    of(assumed(cloud), cloud, "ecs").list_clusters()
    aws_of(cloud).client("ecs").list_clusters()


def test_how_long_a_session_may_last(cloud: LocalCloud) -> None:
    assumed(cloud, DurationSeconds=43_200)
    with pytest.raises(ClientError, match="ValidationError"):
        assumed(cloud, DurationSeconds=43_201)


def test_a_role_that_wants_a_code(cloud: LocalCloud) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{HERE}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    iam = aws_of(cloud).client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_role(RoleName="careful", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        assumed(cloud, arn)
    with pytest.raises(ClientError, match="invalid MFA one time pass code"):
        assumed(cloud, arn, SerialNumber=DEVICE, TokenCode="000000")
    who = of(assumed(cloud, arn, SerialNumber=DEVICE, TokenCode=CODE), cloud, "sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{HERE}:assumed-role/careful/me"


def test_another_account_and_another_region_are_other_worlds(cloud: LocalCloud) -> None:
    aws_of(cloud).client("ecs").create_cluster(clusterName="mine")
    there = assumed(cloud, f"arn:aws:iam::{THERE}:role/ops")
    assert of(there, cloud, "sts").get_caller_identity()["Account"] == THERE
    assert of(there, cloud, "ecs").list_clusters()["clusterArns"] == []
    mine = assumed(cloud)
    assert of(mine, cloud, "ecs").list_clusters()["clusterArns"]
    assert of(mine, cloud, "ecs", "eu-central-1").list_clusters()["clusterArns"] == []
