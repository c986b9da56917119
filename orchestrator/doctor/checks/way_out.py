"""The default route of the tasks' subnets: without one, no image can be pulled and no secret read.

A subnet needs a default route to an internet gateway (then the tasks need public addresses) or to a NAT gateway or
the like; or VPC endpoints for every service of AWS that its tasks need to start, and images in ECR alone. Left out: the
endpoints' security groups and policies, and what the application itself calls later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.network import Subnet
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.aws.value_from import parse
from orchestrator.checklist.facts import service_settings
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
)
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.blueprint.references import referrers, targets
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

_DEATHS = frozenset(
    {
        "task-image-pull-failed",
        "task-network-unreachable",
        "task-secret-unreadable",
        "task-task-resources-failed",
        "task-aws-unreachable",
        "task-host-unreachable",
        "runner-offline",
        "could-not-look",
    }
)

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com|on\.aws)(\.cn)?/")
"""Source: Amazon ECR interface VPC endpoints (ecr.api, ecr.dkr, and S3's gateway for the layers)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a task needs to start: AWS services as VPC endpoints name them; images of registries that have none."""

    services: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WayOutCheckFacts:
    """Services by tenant, subnets by id; by tenant what its tasks need to start, where their definition is known."""

    services: Mapping[str, ServiceSettings]
    subnets: Mapping[str, Subnet]
    needs: Mapping[str, Outgoing] = field(default_factory=dict)


def gather(scene: Scene) -> WayOutCheckFacts:
    """Two calls, shared; one more where a subnet has no way out."""
    needs = {tenant: outgoing(definition) for tenant, definition in scene.definitions().items()}
    return WayOutCheckFacts(scene.settings(), scene.subnets(), needs)


def outgoing(definition: TaskDefinition) -> Outgoing:
    """By its images, secrets and logs."""
    images = [one.image for one in definition.containers]
    ecr = {"ecr.api", "ecr.dkr", "s3"} if any(map(_of_ecr, images)) else set()
    stores = {"secretsmanager" if parse(one).is_secret else "ssm" for _, _, one in definition.secrets()}
    logs = {"logs" for one in definition.containers if one.log_group}
    return Outgoing(tuple(sorted(ecr | stores | logs)), tuple(dict.fromkeys(one for one in images if not _of_ecr(one))))


def _of_ecr(image: str) -> bool:
    return bool(_ECR.match(image))


def judge(facts: WayOutCheckFacts) -> Iterable[Finding]:
    """Per tenant, its subnets without a way out together."""
    for tenant, service in facts.services.items():
        known = [facts.subnets[one] for one in service.subnets if one in facts.subnets]
        need = facts.needs.get(tenant, Outgoing())
        without = [one for one in known if not one.way_out or one.blackhole]
        lost = [one for one in without if not one.endpoints or _lacking(one, need) or need.images]
        if lost:
            yield _no_route(tenant, lost, need)
        elif any(one.way_out.startswith("igw-") for one in known) and not service.public_ip:
            yield _no_address(tenant, service, known)


def _lacking(subnet: Subnet, need: Outgoing) -> list[str]:
    return [one for one in need.services if one not in subnet.endpoints]


def _beside(lost: list[Subnet], need: Outgoing) -> str:
    """What the VPC endpoints don't do either; empty: there are none."""
    if not any(one.endpoints for one in lost):
        return ""
    lacking = ", ".join(sorted({service for one in lost for service in _lacking(one, need)}))
    said = [f"for {lacking}" if lacking else "", f"can reach the registry of {need.images[0]}" if need.images else ""]
    return f", and no VPC endpoint {' or '.join(filter(None, said))}"


def _no_route(tenant: str, lost: list[Subnet], need: Outgoing) -> Finding:
    gone = next((one.way_out for one in lost if one.blackhole), "")
    lacking = any(one.endpoints and _lacking(one, need) for one in lost)
    return Finding(
        code="subnet-without-way-out",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom="tasks can't pull their images or read their secrets",
        cause=(
            f"the default route points to {gone}, which no longer exists"
            if gone
            else "their subnets have no default route"
        )
        + _beside(lost, need),
        fix='aws_route: destination_cidr_block = "0.0.0.0/0", nat_gateway_id = aws_nat_gateway.this[0].id '
        "(terraform: nat_gateway = true); terraform apply"
        + ("; or an aws_vpc_endpoint for each of these services" if lacking else ""),
        evidence=tuple(
            f"{one.id}: 0.0.0.0/0 → {f'{one.way_out} (blackhole)' if one.blackhole else 'none'}"
            + (f"; VPC endpoints: {', '.join(one.endpoints)}" if one.endpoints else "")
            for one in lost
        ),
        explains=_DEATHS,
    )


def _no_address(tenant: str, service: ServiceSettings, known: list[Subnet]) -> Finding:
    return Finding(
        code="task-without-public-address",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom="tasks can't pull their images or read their secrets",
        cause="their subnets use an internet gateway, but the tasks get no public address",
        fix="assign_public_ip = true in the service's network_configuration (or private subnets with a NAT gateway)",
        evidence=(
            f"{service.name}: assignPublicIp DISABLED",
            *(f"{one.id}: 0.0.0.0/0 → {one.way_out}" for one in known),
        ),
        explains=_DEATHS,
    )


EVERYWHERE = ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0")
"""All addresses, in one route or in two halves."""
WAYS = (
    "nat_gateway_id", "gateway_id", "transit_gateway_id", "network_interface_id", "instance_id", "vpc_endpoint_id",
    "vpc_peering_connection_id", "core_network_arn", "local_gateway_id", "carrier_gateway_id",
    "egress_only_gateway_id", "odb_network_arn",
)  # fmt: skip
"""Attributes of a route that name where it leads."""

_NAT = """resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public[0].id
}
resource "aws_route" "nat" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}"""


def planned(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """By routes where subnets are known; in a plan at least: a way out exists at all."""
    if not unit.service.get("network_configuration"):
        raise NotKnown(unit.service.address, "the network of the instances that it runs on")
    service = service_settings(unit.service, evidence)
    ours = [
        one for one in evidence.blueprint.of_type("aws_subnet") if one.text("id") in service.subnets and one.text("id")
    ]
    if not ours:
        yield from _by_any_way(unit, service, evidence)
        return
    subnets = {one.text("id"): _planned_subnet(one, evidence) for one in ours}
    for found in judge(WayOutCheckFacts({unit.tenant: service}, subnets)):
        if found.code == "subnet-without-way-out" and _has_endpoints(evidence):
            raise NotKnown(unit.service.address, "whether its VPC endpoints are all that it needs")
        yield from_finding(
            found,
            address=unit.service.address,
            current="; ".join(found.evidence),
            wanted="a default route to a NAT gateway, or to an internet gateway with public addresses",
            hcl=_NAT if found.code == "subnet-without-way-out" else "assign_public_ip = true",
        )


def _has_endpoints(evidence: Evidence) -> bool:
    endpoints = evidence.blueprint.of_type("aws_vpc_endpoint")
    return any(one.get("vpc_endpoint_type") in ("Interface", UNKNOWN) for one in endpoints)


def _planned_subnet(subnet: Resource, evidence: Evidence) -> Subnet:
    """With what its route table's default route leads to; the VPC's main table where none is associated.

    Raises `NotKnown` for a table that isn't Terraform's.
    """
    blueprint = evidence.blueprint
    for one in referrers(blueprint, subnet, "aws_route_table_association", "subnet_id").any:
        for table in targets(blueprint, one, "aws_route_table", "route_table_id").any:
            return Subnet(subnet.text("id"), way_out=_default_route(table, evidence))
        raise NotKnown(one.address, "its route table")
    for vpc in blueprint.of_type("aws_vpc"):
        if vpc.text("id") and vpc.text("id") == subnet.text("vpc_id"):
            return Subnet(subnet.text("id"), way_out=_by_main_table(vpc, evidence))
    raise NotKnown(subnet.address, "its VPC's main route table")


def _by_main_table(vpc: Resource, evidence: Evidence) -> str:
    blueprint = evidence.blueprint
    main = {vpc.text("main_route_table_id"), vpc.text("default_route_table_id")}
    chosen = [
        one for one in blueprint.of_type("aws_main_route_table_association") if one.text("vpc_id") == vpc.text("id")
    ]
    main = ({one.text("route_table_id") for one in chosen} or main) - {""}
    if not main:
        raise NotKnown(vpc.address, "its main route table")
    tables = [
        one
        for one in blueprint.of_type("aws_route_table", "aws_default_route_table")
        if {one.text("id"), one.text("default_route_table_id")} & main
    ]
    loose = [one for one in blueprint.of_type("aws_route") if one.text("route_table_id") in main]
    return next(filter(None, (*(_default_route(it, evidence) for it in tables), *map(_leads, loose))), "")


def _default_route(table: Resource, evidence: Evidence) -> str:
    """Where it leads. Raises `NotKnown` for a list of addresses, which may be all."""
    for inline in table.blocks("route"):
        if {inline.get("cidr_block"), inline.get("ipv6_cidr_block")} & {*EVERYWHERE}:
            return next((str(inline[key]) for key in WAYS if inline.get(key)), "")
    routes = referrers(evidence.blueprint, table, "aws_route", "route_table_id").any
    found = next(filter(None, map(_leads, routes)), "")
    if not found and any(one.get("destination_prefix_list_id") for one in routes):
        raise NotKnown(table.address, "which addresses its prefix list holds")
    return found


def _leads(route: Resource) -> str:
    """What a default route names; empty: it is none."""
    if not {route.text("destination_cidr_block"), route.text("destination_ipv6_cidr_block")} & {*EVERYWHERE}:
        return ""
    if any(route.get(key) is UNKNOWN for key in WAYS):
        raise NotKnown(route.address, "where it points")
    return next((route.text(key) for key in WAYS if route.text(key)), "")


def _by_any_way(unit: TenantService, service: ServiceSettings, evidence: Evidence) -> Iterable[Remark]:
    """Nothing to be sure of, but for the case that there is no way at all."""
    kinds = (
        ("aws_internet_gateway",)
        if service.public_ip
        else ("aws_nat_gateway", "aws_ec2_transit_gateway_vpc_attachment")
    )
    ways = [one for kind in kinds for one in evidence.blueprint.of_type(kind)]
    subnets = list(evidence.blueprint.of_type("aws_subnet"))
    elsewhere = bool(service.subnets) and not {one.address for one in subnets} & set(service.subnets)
    if ways or not subnets or elsewhere or _has_endpoints(evidence):
        raise NotKnown(unit.service.address, "where its subnets' default routes point")
    yield Remark(
        status=Status.FAILED,
        code="subnet-without-way-out",
        severity=Severity.BLOCKER,
        subject=unit.tenant,
        says="tasks can't pull their images or read their secrets",
        why=f"the stack has no {'internet gateway' if service.public_ip else 'NAT gateway'}",
        address=unit.service.address,
        current=f"assign_public_ip {str(service.public_ip).lower()}, no {' or '.join(kinds)}",
        wanted="a NAT gateway and a default route to it, or public subnets and addresses",
        hcl=_NAT,
    )


CHECK: Check[Scene, WayOutCheckFacts] = Check(
    id="way-out",
    title="The tasks' subnets have a route to the internet",
    gather=gather,
    judge=judge,
    guide_section="ECS Task Troubleshooting",
)
POINTS = (
    Item(
        id="way-out",
        title="The tasks' subnets have a route to the internet",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned, "their default route reaches the internet"),
        about="The default route of the tasks' subnets: images, secrets and models are outside.",
    ),
)
