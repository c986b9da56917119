"""The kit for the first real account, without its story (`make smoke` tells that): whose stack it touches."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.local import world
from orchestrator.local.core import api
from orchestrator.local.core.cloud import ACCOUNT, REGION
from orchestrator.local.endpoint import client
from tests.local.local_cloud import LocalCloud, aws_of
from tests.smoke import folder
from tests.smoke.account import Account
from tests.smoke.folder import Plan
from tests.smoke.kinds import Stack
from tests.smoke.remains import remains
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.cloud]

OURS, THEIRS = "smoke-abcde", "smoke-fghij"
SOME = {
    "service",
    "load balancer",
    "instance",
    "database",
    "database snapshot",
    "Redis",
    "bucket",
    "secret",
    "role",
} | {
    "NAT gateway",
    "address",
    "security group",
    "subnet",
    "route table",
    "internet gateway",
    "network",
}
"""Kinds that each of the two has."""
SPEED = 600.0


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """With two stacks, each with a snapshot of its database."""
    place = tmp_path_factory.mktemp("smoke")
    running = client.up("smoke", place, speed=SPEED)
    try:
        made = LocalCloud(place, running, client.ask(running, "env"))
        for number, name in enumerate((OURS, THEIRS)):
            world.build(
                api.session(made.env),
                endpoint=running.endpoint,
                name=name,
                tenants=["smoke"],
                hostnames={"smoke": f"smoke{number}.{world.ZONE}"},
                log_prefix=f"/{name}",
            )
            tag_network(aws_of(made).client("ec2"), name)
            rds, server = aws_of(made).client("rds"), {"DBInstanceIdentifier": f"{name}-postgres"}
            rds.get_waiter("db_instance_available").wait(**server, WaiterConfig={"Delay": 1})
            rds.create_db_snapshot(**server, DBSnapshotIdentifier=f"{name}-20260101-000000")
        yield made
    finally:
        client.down(place)


def tag_network(ec2: Any, name: str) -> None:
    """As Terraform does: the world tags the network itself alone."""
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Stack", "Values": [name]}])["Vpcs"]
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    gateways = ec2.describe_nat_gateways(Filters=inside)["NatGateways"]
    groups = ec2.get_paginator("describe_security_groups").paginate(Filters=inside).search("SecurityGroups[]")
    tables = ec2.get_paginator("describe_route_tables").paginate(Filters=inside).search("RouteTables[]")
    parts = [
        *ec2.get_paginator("describe_subnets").paginate(Filters=inside).search("Subnets[].SubnetId"),
        *(one["GroupId"] for one in groups if one["GroupName"] != "default"),
        *(one["RouteTableId"] for one in tables if not any(each["Main"] for each in one["Associations"])),
        *(one["InternetGatewayId"] for one in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]),
        *(one["NatGatewayId"] for one in gateways),
        *(address["AllocationId"] for one in gateways for address in one["NatGatewayAddresses"]),
    ]
    ec2.create_tags(Resources=parts, Tags=[{"Key": "Stack", "Value": name}])


@pytest.fixture
def account(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The kit's own way to it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)
    return Account.of(REGION)


def left_of(account: Account, name: str) -> list[str]:
    return remains(Stack(account, name, "smoke", name.partition("-")[2], ""))


def kit(work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`scripts/smoke-aws` after its set-up."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "tests.smoke", "--yes", ACCOUNT, *arguments],
        cwd=work,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stack_that_it_did_not_make_is_refused_and_left_alone(account: Account, tmp_path: Path) -> None:
    before = left_of(account, OURS)
    said = kit(tmp_path, "--mark", "abcde")
    assert said.returncode == 1
    assert "a stack smoke-abcde is there, and not from here" in said.stderr
    assert kit(tmp_path, "--only-clean").returncode == 0
    assert left_of(account, OURS) == before
    assert not folder.earlier(tmp_path / ".orchestrate" / "smoke", ACCOUNT)


def test_another_account_is_neither_made_nor_deleted_in(account: Account, tmp_path: Path) -> None:
    place = folder.begun(tmp_path / ".orchestrate" / "smoke", Plan("smoke", "abcde", ACCOUNT, REGION, None, None))
    before = left_of(account, OURS)
    said = kit(tmp_path, "--only-clean", "--yes", "210987654321")
    assert said.returncode == 1
    assert "nothing was made or deleted" in said.stderr
    assert left_of(account, OURS) == before
    assert place.exists()


def test_what_a_killed_run_has_left_the_next_call_takes_away_and_nothing_else(account: Account, tmp_path: Path) -> None:
    """Also what the killed one had started and still works."""
    place = folder.begun(tmp_path / ".orchestrate" / "smoke", Plan("smoke", "abcde", ACCOUNT, REGION, None, None))
    theirs = left_of(account, THEIRS)
    assert {one.rpartition(" ")[0] for one in left_of(account, OURS)} >= SOME
    survivor = subprocess.Popen(["sleep", "1000"], cwd=place, start_new_session=True)
    said = kit(tmp_path, "--only-clean")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "nothing is left in the account" in said.stdout
    assert survivor.wait(PATIENCE) != 0
    assert left_of(account, OURS) == []
    assert left_of(account, THEIRS) == theirs
    assert not place.exists()
