"""The network under everything: VPC, subnets, security groups, the way out."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.stack.blueprint.changes import ResourceChange

_DOORS = ("aws_vpc_security_group_ingress_rule", "aws_security_group_rule")
_WAYS_OUT = ("aws_nat_gateway", "aws_internet_gateway", "aws_eip")
REBUILDING = 1800
"""Seconds until a whole stack is made anew, about."""


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """The VPC's end says it for all that is in it."""
    vpcs = [change for change in scene.of("aws_vpc", "aws_default_vpc") if change.ends]
    for change in vpcs:
        yield _vpc(change)
    if vpcs:
        return
    yield from _subnets(scene)
    for change in scene.of("aws_security_group"):
        if change.ends and not change.new_first and not scene.leaves(scene.owner(change)):
            yield _group(change, scene.owner(change))
    for change in scene.of(*_DOORS):
        if change.ends and not change.replaced and not _leaves_with_it(change, scene):
            yield _door(change, scene.owner(change))
    through = {change.before.get("allocation_id") for change in scene.of("aws_nat_gateway") if change.ends}
    for change in scene.of(*_WAYS_OUT):
        if change.ends and change.before.get("id") not in through:
            yield _way_out(change)


def _vpc(change: ResourceChange) -> Consequence:
    lasting = f"for about {REBUILDING // 60} minutes" if change.replaced else "any more"
    return Consequence(
        code="network-replaced" if change.replaced else "network-destroyed",
        effect=Effect.OUTAGE,
        name=f"network:{change.was('id') or change.name}",
        says=f"no site answers {lasting}: the VPC is deleted with everything in it",
        why=f"Terraform {change.verb} it: {change.why}",
        then="everything is recreated, with a new load balancer name" if change.replaced else "nothing is left",
        address=change.address,
        seconds=REBUILDING if change.replaced else None,
    )


def _subnets(scene: PlanReading) -> Iterable[Consequence]:
    """All of them together: one that goes moves whatever is in it."""
    gone = [change for change in scene.of("aws_subnet") if change.ends]
    if gone:
        names = ", ".join(change.was("id") or change.name for change in gone)
        yield Consequence(
            code="subnets-replaced" if all(change.replaced for change in gone) else "subnets-destroyed",
            effect=Effect.DISTURBANCE,
            name=f"subnet:{names}",
            says=f"what is in {names} has to move: AWS refuses to delete a subnet that is in use",
            why=f"Terraform {gone[0].verb} it: {gone[0].why}",
            then="see the other consequences for what is replaced with it",
            address=gone[0].address,
        )


def _group(change: ResourceChange, tenant: str) -> Consequence:
    name = change.was("name") or change.name
    return Consequence(
        code="security-group-replaced" if change.replaced else "security-group-destroyed",
        effect=Effect.DISTURBANCE,
        name=f"security-group:{name}",
        says=f"connections through the security group {name} are refused until the new one is in place"
        if change.replaced
        else f"the security group {name} is deleted; the traffic it allowed is refused",
        why=f"Terraform {change.verb} it: {change.why}",
        then="AWS refuses to delete a group that is in use: lifecycle { create_before_destroy = true }",
        address=change.address,
        subject=tenant,
    )


def _leaves_with_it(change: ResourceChange, scene: PlanReading) -> bool:
    """The rule is a leaving tenant's, or either group it names goes as well."""
    groups = ("security_group_id", "referenced_security_group_id", "source_security_group_id")
    return scene.leaves(scene.owner(change)) or any(scene.ends(change.before.get(name)) for name in groups)


def _door(change: ResourceChange, tenant: str) -> Consequence:
    port = change.was("from_port") or "every port"
    group = change.was("security_group_id") or change.name
    return Consequence(
        code="port-closed",
        effect=Effect.DISTURBANCE,
        name=f"port:{port}",
        says=f"this rule no longer allows traffic to port {port} of {group}",
        why=f"Terraform destroys the rule: {change.why}",
        then="check that another rule still allows the traffic that is needed",
        address=change.address,
        subject=tenant,
    )


def _way_out(change: ResourceChange) -> Consequence:
    thing = change.was("public_ip") or change.was("id") or change.name
    return Consequence(
        code="way-out-replaced" if change.replaced else "way-out-destroyed",
        effect=Effect.DISTURBANCE,
        name=f"way-out:{thing}",
        says="the stack's outbound IP address changes: allow lists elsewhere (connectors, model providers) still "
        "have the old one",
        why=f"Terraform {change.verb} {thing}: {change.why}",
        then="meanwhile no task can pull an image or read a secret",
        address=change.address,
    )


KIND = Kind("Network, security groups, routes", judge)
