"""The default route of the tasks' subnets: without one, no image can be pulled and no secret read.

A subnet needs a default route to an internet gateway (then the tasks need public addresses) or to a NAT gateway and
its like. Left out: VPC endpoints in their place, which a stack without a default route would need for every service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.network import Subnet
from orchestrator.aws.service_settings import ServiceSettings
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


@dataclass(frozen=True, slots=True)
class WayOutCheckFacts:
    """Services by tenant, subnets by id."""

    services: Mapping[str, ServiceSettings]
    subnets: Mapping[str, Subnet]


def gather(scene: Scene) -> WayOutCheckFacts:
    """Two calls, shared."""
    return WayOutCheckFacts(scene.settings(), scene.subnets())


def judge(facts: WayOutCheckFacts) -> Iterable[Finding]:
    """Per tenant, its subnets without a way out together."""
    for tenant, service in facts.services.items():
        known = [facts.subnets[one] for one in service.subnets if one in facts.subnets]
        lost = [one for one in known if not one.way_out or one.blackhole]
        if lost:
            yield _no_route(tenant, lost)
        elif any(one.way_out.startswith("igw-") for one in known) and not service.public_ip:
            yield _no_address(tenant, service, known)


def _no_route(tenant: str, lost: list[Subnet]) -> Finding:
    gone = next((one.way_out for one in lost if one.blackhole), "")
    return Finding(
        code="subnet-without-way-out",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom="tasks can't pull their images or read their secrets",
        cause=f"the default route points to {gone}, which no longer exists"
        if gone
        else "their subnets have no default route",
        fix='aws_route: destination_cidr_block = "0.0.0.0/0", nat_gateway_id = aws_nat_gateway.this[0].id '
        "(terraform: nat_gateway = true); terraform apply",
        evidence=tuple(
            f"{one.id}: 0.0.0.0/0 → {f'{one.way_out} (blackhole)' if one.blackhole else 'none'}" for one in lost
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


EVERYWHERE = "0.0.0.0/0"

WAYS = ("nat_gateway_id", "gateway_id", "transit_gateway_id", "network_interface_id")

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
    service = service_settings(unit.service, evidence)
    ours = [
        one for one in evidence.blueprint.of_type("aws_subnet") if one.text("id") in service.subnets and one.text("id")
    ]
    if not ours:
        yield from _by_any_way(unit, service.public_ip, evidence)
        return
    subnets = {one.text("id"): _planned_subnet(one, evidence) for one in ours}
    for found in judge(WayOutCheckFacts({unit.tenant: service}, subnets)):
        yield from_finding(
            found,
            address=unit.service.address,
            current="; ".join(found.evidence),
            wanted="a default route to a NAT gateway, or to an internet gateway with public addresses",
            hcl=_NAT if found.code == "subnet-without-way-out" else "assign_public_ip = true",
        )


def _planned_subnet(subnet: Resource, evidence: Evidence) -> Subnet:
    """With what its route table's default route leads to; the VPC's own table where none is associated."""
    blueprint = evidence.blueprint
    for one in referrers(blueprint, subnet, "aws_route_table_association", "subnet_id").any:
        for table in targets(blueprint, one, "aws_route_table", "route_table_id").any:
            return Subnet(subnet.text("id"), way_out=_default_route(table, evidence))
    return Subnet(subnet.text("id"))


def _default_route(table: Resource, evidence: Evidence) -> str:
    for inline in table.blocks("route"):
        if inline.get("cidr_block") == EVERYWHERE:
            return next((str(inline[key]) for key in WAYS if inline.get(key)), "")
    for route in referrers(evidence.blueprint, table, "aws_route", "route_table_id").any:
        if route.text("destination_cidr_block") == EVERYWHERE:
            if any(route.get(key) is UNKNOWN for key in WAYS):
                raise NotKnown(route.address, "where it points")
            return next((route.text(key) for key in WAYS if route.text(key)), "")
    return ""


def _by_any_way(unit: TenantService, public: bool, evidence: Evidence) -> Iterable[Remark]:
    """Nothing to be sure of, but for the case that there is no way at all."""
    kinds = ("aws_internet_gateway",) if public else ("aws_nat_gateway", "aws_ec2_transit_gateway_vpc_attachment")
    ways = [one for kind in kinds for one in evidence.blueprint.of_type(kind)]
    subnets = list(evidence.blueprint.of_type("aws_subnet"))
    endpoints = list(evidence.blueprint.of_type("aws_vpc_endpoint"))
    if ways or not subnets or any(one.get("vpc_endpoint_type") in ("Interface", UNKNOWN) for one in endpoints):
        raise NotKnown(unit.service.address, "where its subnets' default routes point")
    yield Remark(
        status=Status.FAILED,
        code="subnet-without-way-out",
        severity=Severity.BLOCKER,
        subject=unit.tenant,
        says="tasks can't pull their images or read their secrets",
        why=f"the stack has no {'internet gateway' if public else 'NAT gateway'}",
        address=unit.service.address,
        current=f"assign_public_ip {str(public).lower()}, no {' or '.join(kinds)}",
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
