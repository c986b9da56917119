"""Objects of EC2. They have no name that they are alone with: they are known by their tags, and where they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from orchestrator.aws.batches import answers
from orchestrator.aws.existing.found import Client, ExistingObject, Look, Wanted, tags_of
from orchestrator.aws.pages import items

_GONE = frozenset({"deleted", "deleting", "failed", "shutting-down", "terminated"})


@dataclass(frozen=True, slots=True)
class _Description:
    """How objects are described: the call, where its answer has them, and their id.

    `same` are attributes that must agree where the plan knows them; `status` is where the answer has the state.
    """

    operation: str
    key: str
    id: str
    same: Mapping[str, str] = field(default_factory=dict)
    status: str = ""


def _described(description: _Description, client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted["tags"].items()]
    if not filters:
        return ()
    found = _asked(client("ec2"), description, filters)
    return [_seen(description, it) for it in found if _agrees(description, it, wanted)]


def _asked(ec2: Any, description: _Description, filters: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    if ec2.can_paginate(description.operation):
        yield from items(ec2, description.operation, description.key, Filters=filters)
    else:
        for answer in answers(ec2, description.operation, Filters=filters):
            yield from answer[description.key]


def _agrees(description: _Description, it: Mapping[str, Any], wanted: Wanted) -> bool:
    known = ((theirs, wanted.get(ours)) for ours, theirs in description.same.items())
    return all(value is None or it.get(theirs) == value for theirs, value in known)


def _seen(description: _Description, it: Mapping[str, Any]) -> ExistingObject:
    status = str(it.get(description.status, "")).lower()
    return ExistingObject(it[description.id], status, tags_of(it.get("Tags", ())))


def _gateway(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """In its subnet; a deleted one is shown for an hour."""
    where = [{"Name": "subnet-id", "Values": [wanted["subnet_id"]]}]
    found = items(client("ec2"), "describe_nat_gateways", "NatGateways", Filters=where)
    lives = [it for it in found if it["State"] not in _GONE]
    return [ExistingObject(it["NatGatewayId"], it["State"], tags_of(it.get("Tags", ()))) for it in lives]


def _endpoint(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    return [it for it in _described(_ENDPOINT, client, wanted) if it.status not in _GONE]


def _instance(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """By its id, where the state has one; else by its tags."""
    tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.get("tags", {}).items()]
    if not (wanted.get("id") or tags):
        return ()
    asked = {"InstanceIds": [wanted["id"]]} if wanted.get("id") else {"Filters": tags}
    found = items(client("ec2"), "describe_instances", "Reservations", **asked)
    every = [it for reservation in found for it in reservation["Instances"]]
    lives = [it for it in every if wanted.get("id") or it["State"]["Name"] not in _GONE]
    return [ExistingObject(it["InstanceId"], it["State"]["Name"], tags_of(it.get("Tags", ()))) for it in lives]


def _rule(client: Client, wanted: Wanted, *, out: bool) -> Sequence[ExistingObject]:
    """In its group: from or to the same place, for the same ports. AWS refuses a second one."""
    where = [{"Name": "group-id", "Values": [wanted["security_group_id"]]}]
    found = items(client("ec2"), "describe_security_group_rules", "SecurityGroupRules", Filters=where)
    sought = _way({**wanted, "from": wanted.get("from_port"), "to": wanted.get("to_port")})
    same = [it for it in found if it["IsEgress"] is out and _way(_as_terraform(it)) == sought]
    return [
        ExistingObject(it["SecurityGroupRuleId"], tags=tags_of(it.get("Tags", ())), blank=_came_with_its_group(it))
        for it in same
    ]


def _came_with_its_group(it: Mapping[str, Any]) -> bool:
    """AWS makes each group with a rule that lets everything out; Terraform's provider removes it in the same create."""
    everything = it["IsEgress"] and it["IpProtocol"] == "-1" and it.get("CidrIpv4") == "0.0.0.0/0"
    return everything and not it.get("Tags") and not it.get("Description")


def _as_terraform(it: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "ip_protocol": it["IpProtocol"],
        "from": it.get("FromPort"),
        "to": it.get("ToPort"),
        "cidr_ipv4": it.get("CidrIpv4"),
        "cidr_ipv6": it.get("CidrIpv6"),
        "prefix_list_id": it.get("PrefixListId"),
        "referenced_security_group_id": (it.get("ReferencedGroupInfo") or {}).get("GroupId"),
    }


def _way(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells rules of one group apart. AWS says -1 for "no port", Terraform nothing."""
    ports = tuple(-1 if rule.get(end) is None else rule[end] for end in ("from", "to"))
    places = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    return (str(rule["ip_protocol"]), *ports, *(rule.get(place) or None for place in places))


_ENDPOINT = _Description(
    "describe_vpc_endpoints",
    "VpcEndpoints",
    "VpcEndpointId",
    {"vpc_id": "VpcId", "service_name": "ServiceName"},
    "State",
)
_DESCRIPTIONS: Mapping[str, _Description] = {
    "aws_ebs_volume": _Description(
        "describe_volumes", "Volumes", "VolumeId", {"availability_zone": "AvailabilityZone", "size": "Size"}, "State"
    ),
    "aws_eip": _Description("describe_addresses", "Addresses", "AllocationId"),
    "aws_internet_gateway": _Description("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "aws_route_table": _Description("describe_route_tables", "RouteTables", "RouteTableId", {"vpc_id": "VpcId"}),
    "aws_security_group": _Description(
        "describe_security_groups", "SecurityGroups", "GroupId", {"vpc_id": "VpcId", "name": "GroupName"}
    ),
    "aws_subnet": _Description(
        "describe_subnets", "Subnets", "SubnetId", {"vpc_id": "VpcId", "cidr_block": "CidrBlock"}
    ),
    "aws_vpc": _Description("describe_vpcs", "Vpcs", "VpcId", {"cidr_block": "CidrBlock"}),
}
FINDERS: Mapping[str, tuple[str, Look]] = {
    **{
        kind: (f"ec2:{''.join(map(str.title, it.operation.split('_')))}", partial(_described, it))
        for kind, it in _DESCRIPTIONS.items()
    },
    "aws_instance": ("ec2:DescribeInstances", _instance),
    "aws_nat_gateway": ("ec2:DescribeNatGateways", _gateway),
    "aws_vpc_endpoint": ("ec2:DescribeVpcEndpoints", _endpoint),
    "aws_vpc_security_group_egress_rule": ("ec2:DescribeSecurityGroupRules", partial(_rule, out=True)),
    "aws_vpc_security_group_ingress_rule": ("ec2:DescribeSecurityGroupRules", partial(_rule, out=False)),
}
