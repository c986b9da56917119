"""Vespa's EC2 instances: they run, where the contract says; and their security groups admit the tasks.

The port of queries is the one the task itself uses (VESPA_PORT); 19071 is the config server's. Judged for the tasks'
security groups and subnets, not for the runner's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.network import Instance, SecurityGroup, Subnet
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

_COMING = frozenset({"pending", "running"})
_DEATHS = frozenset({"task-vespa-unreachable", "vespa-container-unseen"})


@dataclass(frozen=True, slots=True)
class VespaPlace:
    """Where a tenant's Vespa should be, and the ports its tasks use."""

    instance: str
    host: str
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VespaInstanceCheckFacts:
    """By tenant the place and the service; instances, groups and subnets by id."""

    places: Mapping[str, VespaPlace]
    services: Mapping[str, ServiceSettings]
    instances: Mapping[str, Instance]
    groups: Mapping[str, SecurityGroup]
    subnets: Mapping[str, Subnet]


def gather(scene: Scene) -> VespaInstanceCheckFacts:
    """All of it is shared with other checks."""
    places = {
        tenant: VespaPlace(vespa.instance_id, vespa.host, (scene.vespa_ports()[tenant], vespa.config_port))
        for tenant, vespa in scene.stack.vespa.items()
    }
    return VespaInstanceCheckFacts(places, scene.settings(), scene.instances(), scene.groups(), scene.subnets())


def judge(facts: VespaInstanceCheckFacts) -> Iterable[Finding]:
    """The instance first; of one that runs, its doors."""
    for tenant, place in facts.places.items():
        instance = facts.instances.get(place.instance)
        if instance is None or instance.state not in _COMING:
            yield _down(tenant, place, instance)
            continue
        if instance.private_ip and place.host and place.host != instance.private_ip and not _is_name(place.host):
            yield _moved(tenant, place, instance)
        if tenant in facts.services:
            yield from _elsewhere(tenant, place, instance, facts) or _closed(tenant, place, instance, facts)


def _down(tenant: str, place: VespaPlace, instance: Instance | None) -> Finding:
    state = instance.state if instance else "InvalidInstanceID.NotFound"
    stopped = instance is not None and instance.state.startswith("stop")
    start = f"aws ec2 start-instances --instance-ids {place.instance}"
    return Finding(
        code="vespa-instance-stopped" if stopped else "vespa-instance-missing",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"Vespa's instance {place.instance} is not running",
        cause="it was stopped" if stopped else "it was terminated or never created: its index is on its data volume",
        fix=start if stopped else "terraform apply (it recreates the instance and attaches the data volume)",
        evidence=(f"instance state {state}",),
        explains=_DEATHS | {"runner-offline", "could-not-look"},
        at_rest=stopped,
    )


def _is_name(host: str) -> bool:
    """Whether it is a DNS name: those are not compared with addresses."""
    return any(letter.isalpha() for letter in host)


def _moved(tenant: str, place: VespaPlace, instance: Instance) -> Finding:
    return Finding(
        code="vespa-address-stale",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"Vespa is not at {place.host}",
        cause=f"{place.instance} was recreated (or the contract is out of date): its address changed",
        fix="terraform apply, so that outputs and task definitions have the current address",
        evidence=(f"EC2: {instance.private_ip}", f"contract: {place.host}"),
        explains=_DEATHS,
    )


def _elsewhere(tenant: str, place: VespaPlace, instance: Instance, facts: VespaInstanceCheckFacts) -> list[Finding]:
    """In another VPC than the tasks: no rule of a security group helps then."""
    vpcs = {facts.subnets[one].vpc for one in facts.services[tenant].subnets if one in facts.subnets}
    if not vpcs or not instance.vpc or instance.vpc in vpcs:
        return []
    return [
        Finding(
            code="vespa-other-vpc",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="the tasks can't reach Vespa: it is in another VPC",
            cause=f"the subnet of {place.instance} and those of the service are in different networks",
            fix="subnet_id of aws_instance: one of the stack's private subnets (module.network), then terraform apply",
            evidence=(f"{place.instance}: {instance.vpc} {instance.subnet}", f"the tasks: {', '.join(sorted(vpcs))}"),
            explains=_DEATHS,
        )
    ]


def _closed(tenant: str, place: VespaPlace, instance: Instance, facts: VespaInstanceCheckFacts) -> list[Finding]:
    service = facts.services[tenant]
    addresses = [facts.subnets[one].cidr for one in service.subnets if one in facts.subnets]
    doors = [facts.groups[one] for one in instance.groups if one in facts.groups]
    closed = [port for port in place.ports if not any(it.admits(port, service.groups, addresses) for it in doors)]
    if not closed or not doors:
        return []
    source = service.groups[0] if service.groups else "<group of the tasks>"
    ports = " and ".join(map(str, closed))
    commands = [
        f"aws ec2 authorize-security-group-ingress --group-id {doors[0].id} --protocol tcp --port {port} "
        f"--source-group {source}"
        for port in closed
    ]
    return [
        Finding(
            code="vespa-port-closed",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"the tasks can't reach Vespa on port {ports}",
            cause=f"no rule of the security group of {place.instance} admits the tasks' group",
            fix=f"{'; '.join(commands)} (and the same rules in Terraform)",
            evidence=(
                *(f"{door.id} opens {door.opened()}" for door in doors),
                f"the tasks are in {', '.join(service.groups) or 'no group'}",
            ),
            explains=_DEATHS,
        )
    ]


CHECK: Check[Scene, VespaInstanceCheckFacts] = Check(
    id="vespa-instance",
    title="Vespa's instances run and let the tasks in",
    gather=gather,
    judge=judge,
    guide_section="Vespa Vector Search Issues",
)
