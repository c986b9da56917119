"""Who is let in, and where a subnet's default route leads, from what EC2 answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.aws.network import Network, SecurityGroup, SecurityRule
from tests.unit.one_page import OnePage

GROUP = SecurityGroup("sg-db", ingress=(SecurityRule(5432, 5440, ("sg-tasks", "10.0.10.0/24")),))


@pytest.mark.parametrize(
    ("port", "groups", "addresses", "admitted"),
    [
        (5432, ["sg-tasks"], [], True),
        (5440, ["sg-tasks"], [], True),
        (5441, ["sg-tasks"], [], False),
        (5432, ["sg-other"], [], False),
        (5432, [], ["10.0.10.7"], True),
        (5432, [], ["10.0.10.0/25"], True),
        (5432, [], ["10.0.10.0/24", "10.0.11.0/24"], False),
        (5432, [], ["10.0.0.0/16"], False),
        (5432, [], ["nonsense"], False),
        (5432, [], [], False),
    ],
)
def test_who_is_let_in(port: int, groups: list[str], addresses: list[str], admitted: bool) -> None:
    assert GROUP.admits(port, groups, addresses) is admitted


class Client(OnePage):
    """EC2's answers."""

    def __init__(self, tables: list[dict[str, Any]], endpoints: Sequence[dict[str, Any]] = ()) -> None:
        self.tables, self.endpoints = tables, list(endpoints)

    def describe_subnets(self, **_: Any) -> dict[str, Any]:
        return {"Subnets": [{"SubnetId": "subnet-a", "VpcId": "vpc-1", "CidrBlock": "10.0.10.0/24"}]}

    def describe_route_tables(self, **_: Any) -> dict[str, Any]:
        return {"RouteTables": self.tables}

    def describe_vpc_endpoints(self, **_: Any) -> dict[str, Any]:
        return {"VpcEndpoints": self.endpoints}


def table(way: dict[str, str], *, main: bool = False, subnet: str = "") -> dict[str, Any]:
    associations = [{"Main": True}] if main else [{"SubnetId": subnet}]
    route = {"DestinationCidrBlock": "0.0.0.0/0", **way}
    associated = {"RouteTableId": "rtb-1", "Associations": associations}
    return {"VpcId": "vpc-1", **associated, "Routes": [route] if way else []}


def endpoint(service: str, **how: Any) -> dict[str, Any]:
    named = {"VpcId": "vpc-1", "State": "available", "ServiceName": f"com.amazonaws.us-west-2.{service}"}
    return {**named, "VpcEndpointType": "Interface", "PrivateDnsEnabled": True, **how}


@pytest.mark.parametrize(
    ("endpoints", "reached"),
    [
        ([endpoint("ecr.api"), endpoint("logs")], ("ecr.api", "logs")),
        ([endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=["rtb-1"])], ("s3",)),
        ([endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=["rtb-2"])], ()),
        ([endpoint("logs", PrivateDnsEnabled=False)], ()),
        ([endpoint("logs", State="pending")], ()),
        ([endpoint("logs", VpcId="vpc-2")], ()),
        ([endpoint("logs", ServiceName="cn.com.amazonaws.cn-north-1.logs")], ("logs",)),
        ([endpoint("logs", ServiceName="com.example.logs")], ()),
    ],
)
def test_what_vpc_endpoints_reach_where_there_is_no_way_out(
    endpoints: list[dict[str, Any]], reached: tuple[str, ...]
) -> None:
    subnet = Network(Client([table({}, subnet="subnet-a")], endpoints)).subnets(["subnet-a"])["subnet-a"]
    assert subnet.endpoints == reached


@pytest.mark.parametrize(
    ("tables", "way", "blackhole"),
    [
        ([table({"NatGatewayId": "nat-1"}, subnet="subnet-a")], "nat-1", False),
        ([table({"GatewayId": "igw-1"}, main=True)], "igw-1", False),
        ([table({"GatewayId": "igw-1"}, main=True), table({}, subnet="subnet-a")], "", False),
        ([table({"GatewayId": "igw-1"}, subnet="subnet-b"), table({}, main=True)], "", False),
        ([table({"NatGatewayId": "nat-1", "State": "blackhole"}, subnet="subnet-a")], "nat-1", True),
        ([], "", False),
    ],
)
def test_where_the_default_route_leads(tables: list[dict[str, Any]], way: str, blackhole: bool) -> None:
    subnet = Network(Client(tables)).subnets(["subnet-a"])["subnet-a"]
    assert (subnet.way_out, subnet.blackhole) == (way, blackhole)


@pytest.mark.parametrize(
    ("rules", "port", "groups", "let_out"),
    [
        ((), 443, (), False),
        ((SecurityRule(-1, -1, ("0.0.0.0/0",)),), 443, (), True),
        ((SecurityRule(443, 443, ("pl-1",)),), 443, (), True),
        ((SecurityRule(443, 443, ("0.0.0.0/0",)),), 5432, ("sg-db",), False),
        ((SecurityRule(5432, 5432, ("sg-db",)),), 5432, ("sg-db",), True),
        ((SecurityRule(5432, 5432, ("sg-other",)),), 5432, ("sg-db",), False),
    ],
)
def test_who_is_let_out(rules: tuple[SecurityRule, ...], port: int, groups: tuple[str, ...], let_out: bool) -> None:
    assert SecurityGroup("sg-tasks", egress=rules).lets_out(port, groups) is let_out


def test_rules_of_every_protocol_and_port() -> None:
    class Groups(OnePage):
        def describe_security_groups(self, **_: Any) -> dict[str, Any]:
            every = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-tasks"}]}
            udp = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            web = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
            group = {"GroupId": "sg-a", "IpPermissions": [every, udp], "IpPermissionsEgress": [web]}
            return {"SecurityGroups": [group]}

    group = Network(Groups()).groups(["sg-a"])["sg-a"]
    assert group.admits(19071, ["sg-tasks"])
    assert not group.admits(53, [], ["10.0.0.1"])
    assert group.opened() == "every port from sg-tasks"
    assert group.let_out() == "443 to pl-1"
