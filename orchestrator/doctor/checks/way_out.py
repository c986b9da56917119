"""The tasks' way out of their subnets: without one no image can be pulled and no secret read.

A subnet needs a default route to an internet gateway (then the tasks need public addresses) or to a NAT gateway and
its like. Left out: VPC endpoints in their place, which a stack without any way out would need for every service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.network import Subnet
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

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
        cause=f"the default route leads to {gone}, which is gone" if gone else "their subnets have no default route",
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
        cause="their subnets lead out by an internet gateway, and the tasks get no public address",
        fix="assign_public_ip = true in the service's network_configuration (or private subnets with a NAT gateway)",
        evidence=(
            f"{service.name}: assignPublicIp DISABLED",
            *(f"{one.id}: 0.0.0.0/0 → {one.way_out}" for one in known),
        ),
        explains=_DEATHS,
    )


CHECK: Check[Scene, WayOutCheckFacts] = Check(
    id="way-out",
    title="The tasks' subnets have a route to the internet",
    gather=gather,
    judge=judge,
    guide_section="ECS Task Troubleshooting",
)
