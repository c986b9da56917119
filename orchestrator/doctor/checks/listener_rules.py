"""The load balancer: it is active, has HTTPS, and its first rule that takes a hostname sends it to its tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.listeners import DEFAULT, ListenerRule, Routing
from orchestrator.aws.network import SecurityGroup
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

_SITE = frozenset({"site-not-answering", "targets-unhealthy"})
WORLD = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class Way:
    """A tenant's hostname and the target group it should come to."""

    hostname: str
    target_group: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The load balancer's routing, the ways by tenant, and who lets whom in."""

    name: str
    routing: Routing
    ways: Mapping[str, Way]
    services: Mapping[str, ServiceSettings]
    groups: Mapping[str, SecurityGroup]


def gather(scene: Scene) -> Facts:
    """Shared."""
    ways = {name: Way(tenant.hostname, tenant.target_group_arn) for name, tenant in scene.stack.tenants.items()}
    return Facts(scene.stack.load_balancer.dns_name, scene.routing(), ways, scene.settings(), scene.groups())


def judge(facts: Facts) -> Iterable[Finding]:
    """Without the load balancer or its listener nothing else matters."""
    if not facts.routing.found or facts.routing.state == "failed":
        yield _absent(facts)
        return
    if not facts.routing.https:
        yield _deaf(facts)
        return
    for tenant, way in facts.ways.items():
        yield from _route(tenant, way, facts.routing.rules)
        yield from _behind(tenant, facts)


def _absent(facts: Facts) -> Finding:
    return Finding(
        code="load-balancer-missing",
        severity=Severity.BLOCKER,
        symptom="the load balancer is not there",
        cause="it was deleted or recreated: the contract is out of date"
        if not facts.routing.found
        else "AWS failed to make it",
        fix="terraform apply, then orchestrate run with the current outputs",
        evidence=(f"{facts.name}: {'failed' if facts.routing.found else 'LoadBalancerNotFound'}",),
        explains=_SITE | {"dns-record-stale", "dns-record-missing"},
    )


def _deaf(facts: Facts) -> Finding:
    return Finding(
        code="https-listener-missing",
        severity=Severity.BLOCKER,
        symptom="no site answers over HTTPS",
        cause="the load balancer has no HTTPS listener",
        fix='aws_lb_listener: port = 443, protocol = "HTTPS", certificate_arn = …; terraform apply',
        evidence=(f"{facts.name}: no listener of protocol HTTPS",),
        explains=_SITE,
    )


def _route(tenant: str, way: Way, rules: tuple[ListenerRule, ...]) -> Iterable[Finding]:
    taking = [rule for rule in rules if rule.matches(way.hostname) and not rule.narrowed]
    own = [rule for rule in rules if way.target_group in rule.target_groups and rule.matches(way.hostname)]
    if not own:
        yield _finding(
            tenant,
            "missing",
            way,
            f'aws_lb_listener_rule with condition {{ host_header {{ values = ["{way.hostname}"] }} }}; terraform apply',
            taking[:1],
        )
    elif taking and taking[0].priority < own[0].priority:
        yield _finding(
            tenant,
            "shadowed",
            way,
            f"give the tenant's rule a priority below {taking[0].priority} (listener_priority), or narrow that rule",
            [taking[0], own[0]],
        )


def _finding(tenant: str, what: str, way: Way, fix: str, rules: list[ListenerRule]) -> Finding:
    return Finding(
        code=f"listener-rule-{what}",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"visitors of {way.hostname} don't reach the tenant's tasks",
        cause=f"no rule of the HTTPS listener sends {way.hostname} to its target group"
        if what == "missing"
        else f"rule {rules[0].priority} takes {way.hostname} before rule {rules[1].priority}, its own",
        fix=fix,
        evidence=tuple(map(_said, rules)) or ("the listener has no rules",),
        explains=_SITE,
    )


def _said(rule: ListenerRule) -> str:
    name = "default rule" if rule.priority == DEFAULT else f"rule {rule.priority}"
    groups = ", ".join(arn.rpartition("targetgroup/")[2] for arn in rule.target_groups)
    return f"{name}: {', '.join(rule.hosts) or 'any host'} → {rule.action} {groups}".rstrip()


def _behind(tenant: str, facts: Facts) -> Iterable[Finding]:
    """The tasks' groups let the load balancer in on the container's port."""
    service = facts.services.get(tenant)
    way = (
        next((one for one in service.ways if one.target_group == facts.ways[tenant].target_group), None)
        if service
        else None
    )
    if service is None or way is None or not facts.routing.groups:
        return
    doors = [facts.groups[one] for one in service.groups if one in facts.groups]
    if not doors or any(door.admits(way.port, facts.routing.groups) or _open(door, way.port) for door in doors):
        return
    yield Finding(
        code="task-port-closed",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"the load balancer can't reach the tasks on port {way.port}",
        cause="no rule of the tasks' security group admits the load balancer's group",
        fix=f"aws ec2 authorize-security-group-ingress --group-id {doors[0].id} --protocol tcp --port {way.port} "
        f"--source-group {facts.routing.groups[0]} (and the same rule in Terraform)",
        evidence=(f"{doors[0].id} opens {doors[0].opened()}", f"the load balancer is in {facts.routing.groups[0]}"),
        explains=_SITE | {"task-target-unhealthy"},
    )


def _open(door: SecurityGroup, port: int) -> bool:
    """Open to addresses: which of them are the load balancer's is not looked up."""
    return any(rule.opens(port) and any("/" in source for source in rule.sources) for rule in door.ingress)


CHECK: Check[Scene, Facts] = Check(
    id="listener-rules",
    title="Every hostname is sent to its tenant",
    gather=gather,
    judge=judge,
    guide_section="Quick Reference Commands",
)
