"""The indexes' EC2 instances: they run at the address in the contract, and their security groups admit the tasks.

The query port is the one that the task itself uses (VESPA_PORT); 19071 is the port of Vespa's config server. Judged
for the tasks' security groups and subnets, not for the runner's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.ec2 import START_ALLOWED
from orchestrator.aws.network import Instance, SecurityGroup, Subnet
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.checklist.facts import doors as doors_of
from orchestrator.checklist.facts import service_settings
from orchestrator.checklist.index_instances import each_kind
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import Checklist, Evidence, Item, NotKnown, Remark, TenantService, from_finding
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.index import PROVIDERS, UNREACHABLE, AnyIndex, provider
from orchestrator.stack.blueprint.references import targets
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource
from orchestrator.stack.blueprint.tenancy import variables
from orchestrator.stack.indexes import OPENSEARCH, VESPA

_COMING = frozenset({"pending", "running"})


@dataclass(frozen=True, slots=True)
class IndexPlace:
    """Where a tenant's index should be, and the ports its tasks use."""

    instance: str
    host: str
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IndexInstanceCheckFacts:
    """By tenant the place and the service; instances, groups and subnets by id."""

    places: Mapping[str, IndexPlace]
    services: Mapping[str, ServiceSettings]
    instances: Mapping[str, Instance]
    groups: Mapping[str, SecurityGroup]
    subnets: Mapping[str, Subnet]


def _is_name(host: str) -> bool:
    """Whether it is a DNS name: those are not compared with addresses."""
    return any(letter.isalpha() for letter in host)


@dataclass(frozen=True, slots=True)
class IndexInstances:
    """The check of one kind of index."""

    index: AnyIndex

    def gather(self, scene: Scene) -> IndexInstanceCheckFacts:
        """All of it is shared with other checks."""
        asked = scene.index_ports()
        places = {}
        for tenant, one in self.index.of(scene.stack).items():
            ports = (asked[self.index.name, tenant], *self.index.ports(one)[1:])
            places[tenant] = IndexPlace(one.instance_id, one.host, ports)
        return IndexInstanceCheckFacts(places, scene.settings(), scene.instances(), scene.groups(), scene.subnets())

    def judge(self, facts: IndexInstanceCheckFacts) -> Iterable[Finding]:
        """The instance first; of one that runs, its doors."""
        for tenant, place in facts.places.items():
            instance = facts.instances.get(place.instance)
            if instance is None or instance.state not in _COMING:
                yield self._down(tenant, place, instance)
                continue
            if instance.private_ip and place.host and place.host != instance.private_ip and not _is_name(place.host):
                yield self._moved(tenant, place, instance)
            if tenant in facts.services:
                apart = self._elsewhere(tenant, place, instance, facts)
                yield from apart or self._closed(tenant, place, instance, facts)

    @property
    def _deaths(self) -> frozenset[str]:
        return frozenset({*UNREACHABLE, f"task-{self.index.name}-unreachable", f"{self.index.name}-container-unseen"})

    def _down(self, tenant: str, place: IndexPlace, instance: Instance | None) -> Finding:
        if instance is not None and instance.failure:
            return self._not_startable(tenant, place, instance)
        state = instance.state if instance else "InvalidInstanceID.NotFound"
        stopped = instance is not None and instance.state.startswith("stop")
        start = f"aws ec2 start-instances --instance-ids {place.instance}"
        return Finding(
            code=f"{self.index.name}-instance-stopped" if stopped else f"{self.index.name}-instance-missing",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"{self.index.title}'s instance {place.instance} is not running",
            cause="it was stopped"
            if stopped
            else "it was terminated or never created: its index is on its data volume",
            fix=start if stopped else "terraform apply (it recreates the instance and attaches the data volume)",
            evidence=(f"instance state {state}",),
            explains=self._deaths | {"runner-offline", "could-not-look"},
            at_rest=stopped,
        )

    def _not_startable(self, tenant: str, place: IndexPlace, instance: Instance) -> Finding:
        return Finding(
            code="instance-not-startable",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"{self.index.title}'s instance {place.instance} is not running",
            cause="EC2 tried to start it, could not, and stopped it again",
            fix=f"{START_ALLOWED}: aws ec2 start-instances --instance-ids {place.instance}",
            evidence=(instance.failure,),
            explains=self._deaths | {"runner-offline", "could-not-look"},
            at_rest=True,
        )

    def _moved(self, tenant: str, place: IndexPlace, instance: Instance) -> Finding:
        return Finding(
            code=f"{self.index.name}-address-stale",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"{self.index.title} is not at {place.host}",
            cause=f"{place.instance} was recreated (or the contract is out of date): its address changed",
            fix="terraform apply, so that outputs and task definitions have the current address",
            evidence=(f"EC2: {instance.private_ip}", f"contract: {place.host}"),
            explains=self._deaths,
        )

    def _elsewhere(
        self, tenant: str, place: IndexPlace, instance: Instance, facts: IndexInstanceCheckFacts
    ) -> list[Finding]:
        """In another VPC than the tasks: no rule of a security group helps then."""
        vpcs = {facts.subnets[one].vpc for one in facts.services[tenant].subnets if one in facts.subnets}
        if not vpcs or not instance.vpc or instance.vpc in vpcs:
            return []
        return [
            Finding(
                code=f"{self.index.name}-other-vpc",
                severity=Severity.BLOCKER,
                subject=tenant,
                symptom=f"the tasks can't reach {self.index.title}: it is in another VPC",
                cause=f"the subnet of {place.instance} and those of the service are in different networks",
                fix="subnet_id of aws_instance: one of the stack's private subnets (module.network), "
                "then terraform apply",
                evidence=(
                    f"{place.instance}: {instance.vpc} {instance.subnet}",
                    f"the tasks: {', '.join(sorted(vpcs))}",
                ),
                explains=self._deaths,
            )
        ]

    def _closed(
        self, tenant: str, place: IndexPlace, instance: Instance, facts: IndexInstanceCheckFacts
    ) -> list[Finding]:
        service = facts.services[tenant]
        addresses = [facts.subnets[one].cidr for one in service.subnets if one in facts.subnets]
        doors = [facts.groups[one] for one in instance.groups if one in facts.groups]
        closed = [port for port in place.ports if not any(it.admits(port, service.groups, addresses) for it in doors)]
        if not closed or not doors:
            return []
        source = service.groups[0] if service.groups else "<group of the tasks>"
        ports = f"{'port' if len(closed) == 1 else 'ports'} {' and '.join(map(str, closed))}"
        commands = [
            f"aws ec2 authorize-security-group-ingress --group-id {doors[0].id} --protocol tcp --port {port} "
            f"--source-group {source}"
            for port in closed
        ]
        return [
            Finding(
                code=f"{self.index.name}-port-closed",
                severity=Severity.BLOCKER,
                subject=tenant,
                symptom=f"the tasks can't reach {self.index.title} on {ports}",
                cause=f"no rule of the security group of {place.instance} admits the tasks' group",
                fix=f"{'; '.join(commands)} (and the same rules in Terraform)",
                evidence=(
                    *(f"{door.id} opens {door.opened()}" for door in doors),
                    f"the tasks are in {', '.join(service.groups) or 'no group'}",
                ),
                explains=self._deaths,
            )
        ]

    def check(self) -> Check[Scene, IndexInstanceCheckFacts]:
        """For the doctor."""
        return Check(
            id=f"{self.index.name}-instance",
            title=f"{self.index.title}'s instances run and let the tasks in",
            gather=self.gather,
            judge=self.judge,
            guide_section=self.index.guide_section,
        )


_RULE = """resource "aws_vpc_security_group_ingress_rule" "{name}_{port}" {{
  security_group_id            = aws_security_group.{name}.id
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = {port}
  to_port                      = {port}
}}"""
_PORTS = {VESPA: (8081, 19071), OPENSEARCH: (9200,)}
"""That the tasks use unless they are told otherwise, the one of queries first."""


def planned(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """By the instances of the tenant's indexes."""
    for kind, instance in each_kind(unit, evidence):
        yield from _planned(unit, instance, provider(kind), evidence)


def _planned(unit: TenantService, instance: Resource, index: AnyIndex, evidence: Evidence) -> Iterable[Remark]:
    met = targets(evidence.blueprint, instance, "aws_security_group", "vpc_security_group_ids")
    groups = met.any
    if not groups:
        raise NotKnown(instance.address, "vpc_security_group_ids")
    held = [doors_of(evidence, one) for one in groups]
    service = service_settings(unit.service, evidence)
    ports = (_query_port(unit, index), *_PORTS[index.name][1:])
    ids = tuple(one.group.id for one in held)
    seen = Instance(instance.address, "running", groups=ids)
    subnets = {one: _planned_subnet(evidence, one) for one in service.subnets}
    facts = IndexInstanceCheckFacts(
        {unit.tenant: IndexPlace(instance.address, "", ports)},
        {unit.tenant: service},
        {instance.address: seen},
        {one.group.id: one.group for one in held},
        subnets,
    )
    for found in IndexInstances(index).judge(facts):
        if met.maybe or not all(one.complete for one in held):
            place = instance.address if met.maybe else groups[0].address
            raise NotKnown(place, "which security group rules are its own")
        closed = [port for port in ports if str(port) in found.symptom]
        yield from_finding(
            found,
            address=groups[0].address,
            current=f"opens {held[0].group.opened()}",
            wanted=f"{' and '.join(map(str, ports))} for the tasks' security group",
            hcl="\n".join(_RULE.format(name=index.name, port=port) for port in closed),
        )


def _query_port(unit: TenantService, index: AnyIndex) -> int:
    said = variables(unit.definition).get(index.port_variable, "") if unit.definition else ""
    return int(said) if said.isdecimal() else _PORTS[index.name][0]


def _planned_subnet(evidence: Evidence, one: str) -> Subnet:
    """By id, or by address while it has none."""
    for subnet in evidence.blueprint.of_type("aws_subnet"):
        if one in (subnet.text("id"), subnet.address):
            cidr: Resource = subnet
            return Subnet(one, cidr=cidr.text("cidr_block") if cidr.get("cidr_block") is not UNKNOWN else "")
    return Subnet(one)


CHECKS = tuple(IndexInstances(one).check() for one in PROVIDERS)
POINTS = (
    Item(
        id="vespa-ports",
        title="The search index's security group admits the tasks",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned, "its ports are open for the tasks"),
        lines=("Vespa EC2 security group allows ECS traffic on ports 8080, 19071",),
        about="The network path from the tasks to Vespa: 8081 for queries (8080 is the image's default), 19071 to "
        "deploy; to OpenSearch: 9200.",
    ),
)
