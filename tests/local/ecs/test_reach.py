"""Who may connect to whom, by moto's security groups and routes, without a cloud."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.ec2 import reach
from orchestrator.local.ec2.reach import ConnectionEnd

REGION = "eu-west-3"
"""A region that no other test uses."""


@pytest.fixture
def ec2() -> Any:
    return ec2_backends[ACCOUNT][REGION]


def group(ec2: Any, vpc: str, name: str, port: int = 0, *sources: str) -> str:
    """A security group that lets `sources` (groups, CIDRs) in on the port, and everything out."""
    made: str = ec2.create_security_group(name, name, vpc_id=vpc).id
    ranges = [{"CidrIp": one} for one in sources if "/" in one]
    groups = [{"GroupId": one} for one in sources if "/" not in one]
    if sources:
        ec2.authorize_security_group_ingress(made, "tcp", port, port, ip_ranges=ranges, source_groups=groups)
    return made


def test_both_sides_must_let_it_through(ec2: Any) -> None:
    vpc = ec2.create_vpc("10.0.0.0/16").id
    tasks, others = group(ec2, vpc, "tasks"), group(ec2, vpc, "others")
    server = ConnectionEnd((group(ec2, vpc, "server", 5432, tasks, "10.0.7.0/24"),))
    assert reach.may_connect(REGION, ConnectionEnd((tasks,), "10.0.10.9"), server, 5432)
    assert not reach.may_connect(REGION, ConnectionEnd((tasks,), "10.0.10.9"), server, 5433)
    assert not reach.may_connect(REGION, ConnectionEnd((others,), "10.0.10.9"), server, 5432)
    assert reach.may_connect(REGION, ConnectionEnd((others,), "10.0.7.9"), server, 5432)
    ec2.revoke_security_group_egress(tasks, "-1", None, None, ip_ranges=[{"CidrIp": "0.0.0.0/0"}])
    assert not reach.may_connect(REGION, ConnectionEnd((tasks,), "10.0.10.9"), server, 5432), "it is not let out"


def test_a_side_without_groups_or_in_the_default_one_is_open(ec2: Any) -> None:
    vpc = ec2.create_vpc("10.0.0.0/16").id
    tasks = ConnectionEnd((group(ec2, vpc, "tasks"),), "10.0.10.9")
    default = next(one.id for one in ec2.groups[vpc].values() if one.name == "default")
    for target in (ConnectionEnd(), ConnectionEnd((default,)), ConnectionEnd(("sg-of-nobody",))):
        assert reach.may_connect(REGION, tasks, target, 6379)


@pytest.mark.parametrize(
    ("way", "public", "out"),
    [("", False, False), ("nat", False, True), ("internet", False, False), ("internet", True, True)],
)
def test_the_way_out_is_the_default_route(ec2: Any, way: str, public: bool, out: bool) -> None:
    vpc = ec2.create_vpc("10.0.0.0/16").id
    subnet = ec2.create_subnet(vpc, "10.0.1.0/24", f"{REGION}a").id
    table = ec2.create_route_table(vpc)
    ec2.associate_route_table(table.id, subnet)
    if way == "nat":
        nat = ec2.create_nat_gateway(subnet_id=subnet, allocation_id="", connectivity_type="private")
        ec2.create_route(table.id, "0.0.0.0/0", nat_gateway_id=nat.id)
    elif way:
        gateway = ec2.create_internet_gateway()
        ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
    network = {"subnets": [subnet], "securityGroups": [], "assignPublicIp": "ENABLED" if public else "DISABLED"}
    task: Any = SimpleNamespace(region_name=REGION, network_configuration={"awsvpcConfiguration": network})
    assert reach.leads_out(task) is out
