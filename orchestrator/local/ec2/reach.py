"""Who may connect to whom: by the security groups and the routes that moto's EC2 holds. Asked for tasks.

Stateful, as on AWS: what is connected stays connected when a rule goes. A side without security groups, or in a VPC's
default one, is open. Left out: network ACLs, peering, VPC endpoints, prefix lists, IPv6; DNS and NTP are always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

from moto.ec2.models import ec2_backends
from moto.elasticache.models import elasticache_backends
from moto.elbv2.models import FakeTargetGroup, elbv2_backends
from moto.rds.models import rds_backends

from orchestrator.local.core.cloud import ACCOUNT

ANYWHERE = "0.0.0.0/0"
HTTPS = 443


@dataclass(frozen=True, slots=True)
class ConnectionEnd:
    """One end of a connection: its security groups, and its address. Without one, it is in every rule's range."""

    groups: tuple[str, ...] = ()
    address: str = ""


class InVpc(Protocol):
    """A task, as far as its network goes; moto's own are of this kind."""

    region_name: str
    network_configuration: dict[str, Any] | None


WORLD = ConnectionEnd(address="203.0.113.10")
"""Somebody on the internet."""


def may_connect(region: str, source: ConnectionEnd, target: ConnectionEnd, port: int) -> bool:
    """Whether the source's groups let it out to the target's port, and the target's groups let it in."""
    leaving = [rule for group in _groups(region, source) for rule in group.egress_rules]
    entering = [rule for group in _groups(region, target) for rule in group.ingress_rules]
    out = not _groups(region, source) or any(_covers(rule, target, port) for rule in leaving)
    into = not _groups(region, target) or any(_covers(rule, source, port) for rule in entering)
    return out and into


def vpc(region: str, place: ConnectionEnd) -> str:
    """Where it is, by its first security group; empty: nobody knows."""
    group = ec2_backends[ACCOUNT][region].get_security_group_from_id(place.groups[0]) if place.groups else None
    return str(group.vpc_id or "") if group else ""


def _groups(region: str, place: ConnectionEnd) -> list[Any]:
    """Moto's groups; none when any of them is unknown or a default one: then everything is let through."""
    found = [ec2_backends[ACCOUNT][region].get_security_group_from_id(one) for one in place.groups]
    return [] if any(one is None or one.is_default or one.name == "default" for one in found) else found


def _covers(rule: Any, other: ConnectionEnd, port: int) -> bool:
    if rule.ip_protocol not in ("-1", "tcp") or not (rule.from_port is None or rule.from_port <= port <= rule.to_port):
        return False
    if rule.source_group:
        return rule.source_group.get("GroupId") in other.groups
    cidr = rule.cidr_ipv4
    return bool(cidr) and (not other.address or ip_address(other.address) in ip_network(cidr))


def task(living: InVpc, address: str) -> ConnectionEnd:
    """A task's place."""
    return ConnectionEnd(tuple(_network(living).get("securityGroups") or ()), address)


def leads_out(living: InVpc) -> bool:
    """Whether a task reaches what is outside of its VPC: where images and secrets are."""
    network, region = _network(living), living.region_name
    if not may_connect(region, task(living, ""), WORLD, HTTPS):
        return False
    public = network.get("assignPublicIp") == "ENABLED"
    return all(_way_out(subnet, region, public=public) for subnet in network.get("subnets", ())[:1])


def _network(living: InVpc) -> Mapping[str, Any]:
    given: Mapping[str, Any] = living.network_configuration or {}
    return given.get("awsvpcConfiguration") or {}


def _way_out(subnet: str, region: str, *, public: bool) -> bool:
    """By the subnet's own route table, else the VPC's main one. An internet gateway is for public addresses only."""
    backend = ec2_backends[ACCOUNT][region]
    vpc = backend.get_subnet(subnet).vpc_id
    tables = [one for one in list(backend.route_tables.values()) if one.vpc_id == vpc]
    own = [one for one in tables if any(each.get("SubnetId") == subnet for each in one.associations)]
    mains = [one for one in tables if one.main_association_id]
    routes = [route for table in (own or mains)[:1] for route in table.routes]
    out = [route for route in routes if route.destination_cidr_block == ANYWHERE and not route.local]
    return any(public or route.gateway is None for route in out)


def database(host: str, region: str) -> ConnectionEnd:
    """An RDS instance's place, by its address."""
    for one in list(rds_backends[ACCOUNT][region].databases.values()):
        if one.address == host:
            return ConnectionEnd(tuple(one.vpc_security_group_ids or ()))
    return ConnectionEnd()


def redis(group: Any, region: str) -> ConnectionEnd:
    """A replication group's place: its members'."""
    clusters = elasticache_backends[ACCOUNT][region].cache_clusters
    held = [clusters[member] for member in group.member_clusters if member in clusters]
    return ConnectionEnd(tuple(each["SecurityGroupId"] for one in held for each in one.security_groups or ()))


def instance(one: Any) -> ConnectionEnd:
    """An EC2 instance's place."""
    return ConnectionEnd(tuple(group.id for group in one.security_groups), one.private_ip or "")


def load_balancer(group: FakeTargetGroup) -> ConnectionEnd:
    """The place of the load balancers that send to a target group."""
    backends = list(elbv2_backends[ACCOUNT].values())
    balancers = [one for backend in backends for one in list(backend.load_balancers.values())]
    return ConnectionEnd(
        tuple(each for one in balancers if one.arn in group.load_balancer_arns for each in one.security_groups)
    )
