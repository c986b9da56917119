"""Objects that are a part of another one.

They are known by what they are in it: a rule by its priority, a route by its destination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.aws.existing.found import Client, ExistingObject, Look, Wanted
from orchestrator.aws.existing.named import of_balancing
from orchestrator.aws.pages import items


def _listener(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    found = items(client("elbv2"), "describe_listeners", "Listeners", LoadBalancerArn=wanted["load_balancer_arn"])
    return [of_balancing(client, it["ListenerArn"]) for it in found if it.get("Port") == wanted["port"]]


def _listener_rule(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    found = items(client("elbv2"), "describe_rules", "Rules", ListenerArn=wanted["listener_arn"])
    return [of_balancing(client, it["RuleArn"]) for it in found if it["Priority"] == str(wanted["priority"])]


def _role_policy(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    role, name = wanted["role"], wanted["name"]
    client("iam").get_role_policy(RoleName=role, PolicyName=name)
    return [ExistingObject(f"{role}:{name}")]


def _attached_policy(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    role, policy = wanted["role"], wanted["policy_arn"]
    found = items(client("iam"), "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return [ExistingObject(f"{role}/{policy}") for it in found if it["PolicyArn"] == policy]


def _route(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """To the same place: one that leads elsewhere is somebody's own."""
    table, destination = wanted["route_table_id"], wanted["destination_cidr_block"]
    ways = {"GatewayId": wanted.get("gateway_id"), "NatGatewayId": wanted.get("nat_gateway_id")}
    found = items(client("ec2"), "describe_route_tables", "RouteTables", RouteTableIds=[table])
    routes = [it for one in found for it in one["Routes"] if it.get("DestinationCidrBlock") == destination]
    same = [it for it in routes if any(way and it.get(key) == way for key, way in ways.items())]
    return [ExistingObject(f"{table}_{destination}") for _ in same]


def _route_table_association(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    table, subnet = wanted["route_table_id"], wanted["subnet_id"]
    found = items(client("ec2"), "describe_route_tables", "RouteTables", RouteTableIds=[table])
    associations = [it for one in found for it in one["Associations"] if it.get("SubnetId") == subnet]
    return [ExistingObject(f"{subnet}/{table}") for _ in associations]


def _volume_attachment(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    volume, instance, device = wanted["volume_id"], wanted["instance_id"], wanted["device_name"]
    found = items(client("ec2"), "describe_volumes", "Volumes", VolumeIds=[volume])
    attached = [it for one in found for it in one["Attachments"] if it["InstanceId"] == instance]
    said = [(it["State"], it["Device"]) for it in attached if it["State"] not in ("detaching", "detached")]
    return [ExistingObject(f"{device}:{volume}:{instance}", state) for state, where in said if where == device]


FINDERS: Mapping[str, tuple[str, Look]] = {
    "aws_iam_role_policy": ("iam:GetRolePolicy", _role_policy),
    "aws_iam_role_policy_attachment": ("iam:ListAttachedRolePolicies", _attached_policy),
    "aws_lb_listener": ("elasticloadbalancing:DescribeListeners", _listener),
    "aws_lb_listener_rule": ("elasticloadbalancing:DescribeRules", _listener_rule),
    "aws_route": ("ec2:DescribeRouteTables", _route),
    "aws_route_table_association": ("ec2:DescribeRouteTables", _route_table_association),
    "aws_volume_attachment": ("ec2:DescribeVolumes", _volume_attachment),
}
