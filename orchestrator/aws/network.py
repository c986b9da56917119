"""The network as EC2 knows it: instances in their subnets, security groups and their rules, routes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import Any

from orchestrator.aws.ec2 import failure_of
from orchestrator.aws.pages import items
from orchestrator.aws.session import translated

ANY = -1
"""The port of a rule for every port."""
_WAYS_OUT = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId", "VpcPeeringConnectionId")

_ENDPOINT = re.compile(r"(?:[a-z]+\.)*amazonaws\.[a-z0-9-]+\.(?P<name>[a-z0-9.-]+)")
"""`com.amazonaws.us-west-2.ecr.api`; in China `cn.com.amazonaws.…`."""


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """Who may come in, or where one may go (`sources`: groups, CIDRs), at which TCP ports."""

    first: int
    last: int
    sources: tuple[str, ...]

    def opens(self, port: int) -> bool:
        """Whether the port is among them."""
        return self.first == ANY or self.first <= port <= self.last


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A group; `ingress` and `egress` are its rules for TCP (or for every protocol)."""

    id: str
    name: str = ""
    vpc: str = ""
    ingress: tuple[SecurityRule, ...] = ()
    egress: tuple[SecurityRule, ...] = ()

    def lets_out(self, port: int, groups: Collection[str]) -> bool:
        """Whether `port` can be reached in one of `groups`. A rule for addresses counts: whose they are isn't known."""
        open_ones = [rule for rule in self.egress if rule.opens(port)]
        named = {one for rule in open_ones for one in rule.sources}
        return bool(named & set(groups)) or any(not one.startswith("sg-") for one in named)

    def admits(self, port: int, groups: Collection[str], addresses: Iterable[str] = ()) -> bool:
        """Whether somebody in one of `groups`, or with all of `addresses` (IPs or CIDRs), may connect to `port`."""
        origins = list(addresses)
        for rule in self.ingress:
            if not rule.opens(port):
                continue
            if set(rule.sources) & set(groups):
                return True
            nets = [source for source in rule.sources if "/" in source]
            if origins and all(any(_within(origin, net) for net in nets) for origin in origins):
                return True
        return False

    def opened(self) -> str:
        """Its rules in words, for evidence."""
        rules = [f"{_ports(rule)} from {', '.join(rule.sources)}" for rule in self.ingress]
        return "; ".join(rules) if rules else "nothing"

    def let_out(self) -> str:
        """Its ways out in words, for evidence."""
        rules = [f"{_ports(rule)} to {', '.join(rule.sources)}" for rule in self.egress]
        return "; ".join(rules) if rules else "nothing"


@dataclass(frozen=True, slots=True)
class Subnet:
    """`way_out` is what its default route leads to (`igw-…`, `nat-…`); empty: none. `blackhole`: it is gone.

    `endpoints` are the AWS services (`ecr.api`) that VPC endpoints reach from it; read only where a subnet lacks a way.
    """

    id: str
    vpc: str = ""
    cidr: str = ""
    way_out: str = ""
    blackhole: bool = False
    endpoints: tuple[str, ...] = ()
    table: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """One EC2 instance. `state` is EC2's word."""

    id: str
    state: str
    vpc: str = ""
    subnet: str = ""
    groups: tuple[str, ...] = ()
    private_ip: str = ""
    profile: str = ""
    """The ARN of its instance profile; empty: it has none."""
    failure: str = ""
    """Why EC2 could not start it and has stopped it again, in its words."""


class Network:
    """Reads through a boto3 `ec2` client; every call is for all that is asked at once."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def instances(self, ids: Sequence[str]) -> Mapping[str, Instance]:
        """Those that exist among `ids`: by filter, since one unknown id would refuse the whole call."""
        filters = [{"Name": "instance-id", "Values": list(ids)}]
        with translated("ec2:DescribeInstances"):
            reservations = list(items(self._client, "describe_instances", "Reservations", Filters=filters))
        found = [_instance(raw) for reservation in reservations for raw in reservation["Instances"]]
        return {one.id: one for one in found}

    def groups(self, ids: Collection[str]) -> Mapping[str, SecurityGroup]:
        """Those that exist among `ids`."""
        filters = [{"Name": "group-id", "Values": sorted(ids)}]
        with translated("ec2:DescribeSecurityGroups"):
            found = list(items(self._client, "describe_security_groups", "SecurityGroups", Filters=filters))
        return {raw["GroupId"]: _group(raw) for raw in found}

    def subnets(self, ids: Collection[str]) -> Mapping[str, Subnet]:
        """Those that exist among `ids`, each with its default route: two calls, and one where a subnet has none."""
        with translated("ec2:DescribeSubnets"):
            filters = [{"Name": "subnet-id", "Values": sorted(ids)}]
            subnets = list(items(self._client, "describe_subnets", "Subnets", Filters=filters))
        filters = [{"Name": "vpc-id", "Values": sorted({raw["VpcId"] for raw in subnets})}]
        with translated("ec2:DescribeRouteTables"):
            tables = list(items(self._client, "describe_route_tables", "RouteTables", Filters=filters))
        seen = {raw["SubnetId"]: _subnet(raw, tables) for raw in subnets}
        if all(one.way_out and not one.blackhole for one in seen.values()):
            return seen
        with translated("ec2:DescribeVpcEndpoints"):
            endpoints = list(items(self._client, "describe_vpc_endpoints", "VpcEndpoints", Filters=filters))
        return {name: replace(one, endpoints=tuple(_reached(one, endpoints))) for name, one in seen.items()}


def _instance(raw: Mapping[str, Any]) -> Instance:
    return Instance(
        raw["InstanceId"],
        raw["State"]["Name"],
        raw.get("VpcId", ""),
        raw.get("SubnetId", ""),
        tuple(group["GroupId"] for group in raw.get("SecurityGroups", ())),
        raw.get("PrivateIpAddress", ""),
        raw.get("IamInstanceProfile", {}).get("Arn", ""),
        failure_of(raw),
    )


def _group(raw: Mapping[str, Any]) -> SecurityGroup:
    ways = (raw.get("IpPermissions", ()), raw.get("IpPermissionsEgress", ()))
    ingress, egress = (tuple(_rule(one) for one in way if one["IpProtocol"] in ("tcp", "-1", "6")) for way in ways)
    return SecurityGroup(raw["GroupId"], raw.get("GroupName", ""), raw.get("VpcId", ""), ingress, egress)


def _rule(raw: Mapping[str, Any]) -> SecurityRule:
    groups = [one["GroupId"] for one in raw.get("UserIdGroupPairs", ())]
    ranges = [one["CidrIp"] for one in raw.get("IpRanges", ())] + [one["CidrIpv6"] for one in raw.get("Ipv6Ranges", ())]
    ranges += [one["PrefixListId"] for one in raw.get("PrefixListIds", ())]
    if raw["IpProtocol"] == "-1" or raw.get("FromPort", ANY) == ANY:
        return SecurityRule(ANY, ANY, (*groups, *ranges))
    return SecurityRule(raw["FromPort"], raw["ToPort"], (*groups, *ranges))


def _subnet(raw: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]) -> Subnet:
    """The table that is associated with the subnet, else its VPC's main one."""
    own = [table for table in tables if any(_of(one, raw["SubnetId"]) for one in table.get("Associations", ()))]
    of_vpc = [table for table in tables if table["VpcId"] == raw["VpcId"]]
    main = [table for table in of_vpc if any(one.get("Main") for one in table.get("Associations", ()))]
    routes = [
        route
        for table in (own or main)[:1]
        for route in table.get("Routes", ())
        if route.get("DestinationCidrBlock") == "0.0.0.0/0"
    ]
    way = next((str(routes[0][key]) for key in ("GatewayId", *_WAYS_OUT) if routes and routes[0].get(key)), "")
    blackhole = bool(routes) and routes[0].get("State") == "blackhole"
    table = next((str(one.get("RouteTableId", "")) for one in (own or main)), "")
    return Subnet(raw["SubnetId"], raw["VpcId"], raw.get("CidrBlock", ""), way, blackhole, table=table)


def _reached(subnet: Subnet, endpoints: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """What its VPC's endpoints lead to: a gateway's from the tables that have it, an interface's by AWS's own name."""
    for raw in endpoints:
        gateway = raw.get("VpcEndpointType") == "Gateway"
        leads = subnet.table in raw.get("RouteTableIds", ()) if gateway else bool(raw.get("PrivateDnsEnabled"))
        service = _ENDPOINT.fullmatch(str(raw.get("ServiceName", "")))
        if service and leads and raw.get("VpcId") == subnet.vpc and str(raw.get("State")).lower() == "available":
            yield service["name"]


def _of(association: Mapping[str, Any], subnet: str) -> bool:
    return bool(association.get("SubnetId") == subnet)


def _within(origin: str, net: str) -> bool:
    try:
        inner = ip_network(origin) if "/" in origin else ip_network(ip_address(origin))
        outer = ip_network(net)
        return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
    except ValueError:
        return False


def _ports(rule: SecurityRule) -> str:
    if rule.first == ANY:
        return "every port"
    return str(rule.first) if rule.first == rule.last else f"{rule.first}-{rule.last}"
