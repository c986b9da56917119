"""The tasks' security groups let them out: to PostgreSQL, Redis and the index, and on 443 for images and secrets.

A security group created by Terraform lets nothing out unless a rule says so. If a rule names addresses, whose they
are is not checked. Left out: network ACLs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.network import Instance, SecurityGroup
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import tenant_of
from orchestrator.index import PROVIDERS, provider
from orchestrator.stack.indexes import PlacedIndex

HTTPS = 443
_DEATHS = {
    "PostgreSQL": frozenset({"task-database-unreachable", "task-database-host-unknown"}),
    "Redis": frozenset({"task-redis-unreachable"}),
    **{one.title: frozenset({f"task-{one.name}-unreachable"}) for one in PROVIDERS},
    "AWS and the registry": frozenset(
        {"task-network-unreachable", "task-image-pull-failed", "task-secret-unreadable", "task-task-resources-failed"}
    ),
}


@dataclass(frozen=True, slots=True)
class Destination:
    """What a task must reach: a port, in one of these groups (none known: anywhere)."""

    what: str
    port: int
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskEgressCheckFacts:
    """By tenant its service and what its tasks must reach; every group by id."""

    services: Mapping[str, ServiceSettings]
    needs: Mapping[str, tuple[Destination, ...]]
    groups: Mapping[str, SecurityGroup]


def gather(scene: Scene) -> TaskEgressCheckFacts:
    """All of it is shared with other checks."""
    stack, instances = scene.stack, scene.instances()
    shared = [Destination("PostgreSQL", stack.database.port, scene.server().groups)]
    shared += [Destination("Redis", stack.redis.port, scene.redis_groups())] if stack.redis else []
    shared += [Destination("AWS and the registry", HTTPS)]
    needs = {}
    for tenant in stack.tenants:
        own = [one for one in stack.indexes if one.tenant == tenant]
        needs[tenant] = (*shared, *(it for one in own for it in _of_index(one, instances)))
    return TaskEgressCheckFacts(scene.settings(), needs, scene.groups())


def _of_index(index: PlacedIndex, instances: Mapping[str, Instance]) -> Iterable[Destination]:
    """All its ports, while its instance is there."""
    kind, there = provider(index.kind), instances.get(index.server.instance_id)
    return [Destination(kind.title, port, there.groups) for port in kind.ports(index.server)] if there else ()


def judge(facts: TaskEgressCheckFacts) -> Iterable[Finding]:
    """Per tenant, all that its tasks can't reach together."""
    for tenant, service in facts.services.items():
        doors = [facts.groups[one] for one in service.groups if one in facts.groups]
        shut = [need for need in facts.needs.get(tenant_of(tenant), ()) if not _open(doors, need)]
        if doors and shut:
            yield _locked(tenant, doors, shut)


def _open(doors: list[SecurityGroup], need: Destination) -> bool:
    return any(door.lets_out(need.port, need.groups) for door in doors)


def _locked(tenant: str, doors: list[SecurityGroup], shut: list[Destination]) -> Finding:
    what = ", ".join(f"{need.what} ({need.port})" for need in shut)
    return Finding(
        code="task-egress-closed",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"the tasks can't reach {what}",
        cause="their security group does not let them out",
        fix=f"aws ec2 authorize-security-group-egress --group-id {doors[0].id} --ip-permissions "
        "IpProtocol=-1,IpRanges=[{CidrIp=0.0.0.0/0}] (aws_vpc_security_group_egress_rule in Terraform)",
        evidence=tuple(f"{door.id} lets out {door.let_out()}" for door in doors),
        explains=frozenset().union(*(_DEATHS[need.what] for need in shut)) | {"task-container-exited"},
    )


CHECK: Check[Scene, TaskEgressCheckFacts] = Check(
    id="task-egress",
    title="The tasks' security groups let them out",
    gather=gather,
    judge=judge,
    guide_section="Database Issues",
)
