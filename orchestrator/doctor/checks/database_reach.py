"""The path from the tasks to PostgreSQL: the server's security groups admit the tasks' groups, in one VPC.

Judged for the tasks' security groups and subnets, never for the runner's. Left out: network ACLs, peering.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.network import SecurityGroup, Subnet
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

_DEATHS = frozenset({"task-database-unreachable", "task-container-exited", "could-not-look"})


@dataclass(frozen=True, slots=True)
class DatabaseReachCheckFacts:
    """The server, the services by tenant, and every group and subnet that plays a part, by id."""

    server: ServerState
    port: int
    services: Mapping[str, ServiceSettings]
    groups: Mapping[str, SecurityGroup]
    subnets: Mapping[str, Subnet]


def gather(scene: Scene) -> DatabaseReachCheckFacts:
    """All of it is shared with other checks."""
    return DatabaseReachCheckFacts(
        scene.server(), scene.stack.database.port, scene.settings(), scene.groups(), scene.subnets()
    )


def judge(facts: DatabaseReachCheckFacts) -> Iterable[Finding]:
    """A server without a VPC (unknown to us) is passed over."""
    if facts.server.public:
        yield _public(facts)
    if not facts.server.groups:
        return
    for tenant, service in facts.services.items():
        vpcs = {facts.subnets[one].vpc for one in service.subnets if one in facts.subnets}
        if facts.server.vpc and vpcs and facts.server.vpc not in vpcs:
            yield _other_vpc(tenant, facts.server, sorted(vpcs))
        elif not _admitted(service, facts):
            yield _closed(tenant, service, facts)


def _public(facts: DatabaseReachCheckFacts) -> Finding:
    opened = [facts.groups[one].opened() for one in facts.server.groups if one in facts.groups]
    return Finding(
        code="database-public",
        severity=Severity.WARNING,
        symptom=f"{facts.server.instance} has a public address",
        cause="it is publicly accessible: its name can resolve to a public address, and its port is on the internet",
        fix=f"aws rds modify-db-instance --db-instance-identifier {facts.server.machine} --no-publicly-accessible "
        "--apply-immediately (publicly_accessible = false in aws_db_instance)",
        evidence=("PubliclyAccessible true", *opened),
    )


def _admitted(service: ServiceSettings, facts: DatabaseReachCheckFacts) -> bool:
    addresses = [facts.subnets[one].cidr for one in service.subnets if one in facts.subnets]
    doors = [facts.groups[one] for one in facts.server.groups if one in facts.groups]
    return any(door.admits(facts.port, service.groups, addresses) for door in doors)


def _closed(tenant: str, service: ServiceSettings, facts: DatabaseReachCheckFacts) -> Finding:
    door, source = facts.server.groups[0], service.groups[0] if service.groups else "<group of the tasks>"
    opened = facts.groups[door].opened() if door in facts.groups else "no such group"
    return Finding(
        code="database-port-closed",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"the tasks can't reach PostgreSQL on port {facts.port}",
        cause=f"no rule of {facts.server.instance}'s security group admits the tasks' group",
        fix=f"aws ec2 authorize-security-group-ingress --group-id {door} --protocol tcp --port {facts.port} "
        f"--source-group {source} (and the same rule in Terraform)",
        evidence=(f"{door} opens {opened}", f"the tasks are in {', '.join(service.groups) or 'no group'}"),
        explains=_DEATHS,
    )


def _other_vpc(tenant: str, server: ServerState, vpcs: list[str]) -> Finding:
    return Finding(
        code="database-other-vpc",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom="the tasks can't reach PostgreSQL: it is in another VPC",
        cause=f"{server.instance} and the service's subnets are in different networks",
        fix="put the service's subnets and the DB subnet group into one VPC (Terraform: module.network), then apply",
        evidence=(f"{server.instance}: {server.vpc}", f"the tasks: {', '.join(vpcs)}"),
        explains=_DEATHS,
    )


CHECK: Check[Scene, DatabaseReachCheckFacts] = Check(
    id="database-reach",
    title="The tasks can reach the database server",
    gather=gather,
    judge=judge,
    guide_section="Database Issues",
)
