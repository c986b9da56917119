"""The way from the tasks to Vespa: 8081 for queries (8080 is the image's default), 19071 to deploy."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.aws.network import Instance, Subnet
from orchestrator.checklist.facts import doors, service_settings
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import Checklist, Evidence, Item, NotKnown, Remark, TenantService, from_finding
from orchestrator.checklist.vespa import instance_of
from orchestrator.doctor.checks import index_instance as checks
from orchestrator.index import vespa
from orchestrator.stack.blueprint.references import targets
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource
from orchestrator.stack.blueprint.tenancy import variables

_RULE = """resource "aws_vpc_security_group_ingress_rule" "vespa_{port}" {{
  security_group_id            = aws_security_group.vespa.id
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = {port}
  to_port                      = {port}
}}"""
CONFIG_PORT = 19071


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """By the instance that is the tenant's Vespa."""
    instance = instance_of(unit, evidence)
    met = targets(evidence.blueprint, instance, "aws_security_group", "vpc_security_group_ids")
    groups = met.any
    if not groups:
        raise NotKnown(instance.address, "vpc_security_group_ids")
    held = [doors(evidence, one) for one in groups]
    service = service_settings(unit.service, evidence)
    ports = (_query_port(unit), CONFIG_PORT)
    ids = tuple(one.group.id for one in held)
    seen = Instance(instance.address, "running", groups=ids)
    subnets = {one: _subnet(evidence, one) for one in service.subnets}
    facts = checks.IndexInstanceCheckFacts(
        {unit.tenant: checks.IndexPlace(instance.address, "", ports)},
        {unit.tenant: service},
        {instance.address: seen},
        {one.group.id: one.group for one in held},
        subnets,
    )
    for found in checks.IndexInstances(vespa.PROVIDER).judge(facts):
        if met.maybe or not all(one.complete for one in held):
            place = instance.address if met.maybe else groups[0].address
            raise NotKnown(place, "which security group rules are its own")
        closed = [port for port in ports if str(port) in found.symptom]
        yield from_finding(
            found,
            address=groups[0].address,
            current=f"opens {held[0].group.opened()}",
            wanted=f"{' and '.join(map(str, ports))} for the tasks' security group",
            hcl="\n".join(_RULE.format(port=port) for port in closed),
        )


def _query_port(unit: TenantService) -> int:
    said = variables(unit.definition).get("VESPA_PORT", "") if unit.definition else ""
    return int(said) if said.isdecimal() else 8081


def _subnet(evidence: Evidence, one: str) -> Subnet:
    """By id, or by address while it has none."""
    for subnet in evidence.blueprint.of_type("aws_subnet"):
        if one in (subnet.text("id"), subnet.address):
            cidr: Resource = subnet
            return Subnet(one, cidr=cidr.text("cidr_block") if cidr.get("cidr_block") is not UNKNOWN else "")
    return Subnet(one)


ITEM = Item(
    id="vespa-ports",
    title="Vespa's security group admits the tasks",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "8081 and 19071 are open for the tasks"),
    lines=("Vespa EC2 security group allows ECS traffic on ports 8080, 19071",),
)
