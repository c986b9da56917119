"""The network path from the tasks to Redis: its security groups admit the tasks' groups on its port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.aws.network import SecurityGroup, Subnet
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.applications import CACHE, in_postgresql


@dataclass(frozen=True, slots=True)
class RedisReachCheckFacts:
    """The groups of Redis (none: unknown), the services by tenant, and every group and subnet by id."""

    doors: Sequence[str]
    port: int
    services: Mapping[str, ServiceSettings]
    groups: Mapping[str, SecurityGroup]
    subnets: Mapping[str, Subnet]
    without: frozenset[str] = frozenset()
    """Tenants that don't use it."""


def gather(scene: Scene) -> RedisReachCheckFacts:
    """One call for the groups of Redis; the rest is shared."""
    redis = scene.stack.redis
    port = redis.port if redis else 0
    said = {tenant: one.variables() for tenant, one in scene.definitions().items()}
    without = scene.spared() | {tenant for tenant, variables in said.items() if in_postgresql(variables, CACHE)}
    return RedisReachCheckFacts(scene.redis_groups(), port, scene.settings(), scene.groups(), scene.subnets(), without)


def judge(facts: RedisReachCheckFacts) -> Iterable[Finding]:
    """Per tenant."""
    doors = [facts.groups[one] for one in facts.doors if one in facts.groups]
    for tenant, service in facts.services.items():
        addresses = [facts.subnets[one].cidr for one in service.subnets if one in facts.subnets]
        if (
            doors
            and tenant not in facts.without
            and not any(door.admits(facts.port, service.groups, addresses) for door in doors)
        ):
            yield _closed(tenant, service, doors[0], facts.port)


def _closed(tenant: str, service: ServiceSettings, door: SecurityGroup, port: int) -> Finding:
    source = service.groups[0] if service.groups else "<group of the tasks>"
    return Finding(
        code="redis-port-closed",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"the tasks can't reach Redis on port {port}",
        cause="no rule of Redis's security group admits the tasks' group",
        fix=f"aws ec2 authorize-security-group-ingress --group-id {door.id} --protocol tcp --port {port} "
        f"--source-group {source} (and the same rule in Terraform)",
        evidence=(f"{door.id} opens {door.opened()}", f"the tasks are in {', '.join(service.groups) or 'no group'}"),
        explains=frozenset({"task-redis-unreachable", "task-container-exited"}),
    )


CHECK: Check[Scene, RedisReachCheckFacts] = Check(
    id="redis-reach",
    title="The tasks can reach Redis",
    gather=gather,
    judge=judge,
    guide_section="Redis/Cache Issues",
)
