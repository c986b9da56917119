"""The load balancer: active, with an HTTPS listener, and each hostname's first rule forwards to its tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.aws.listeners import Routing
from orchestrator.aws.network import SecurityGroup
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, from_finding, unknown
from orchestrator.checklist.verdicts import seen_by
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.site import answers, tenancy
from orchestrator.site.tenancy import SiteBackend, SiteOwners, TenantParts
from orchestrator.stack.contract import HEALTH_PATH
from orchestrator.stack.records import plain, records_of, words_of

_SITE = answers.CODES | {"targets-unhealthy"}
WORLD = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class TenantRoute:
    """A tenant's hostname, the target group it should come to, and the path that tells whether its site is up."""

    hostname: str
    target_group: str
    path: str = HEALTH_PATH


@dataclass(frozen=True, slots=True)
class ListenerRulesCheckFacts:
    """The load balancer's routing, the ways by tenant, and who lets whom in; `beside`: the same of further ones."""

    name: str
    routing: Routing
    ways: Mapping[str, TenantRoute]
    services: Mapping[str, ServiceSettings]
    groups: Mapping[str, SecurityGroup]
    beside: tuple[ListenerRulesCheckFacts, ...] = ()
    registers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By tenant every target group that its service's tasks come into: of a blue/green one both colours."""


def gather(scene: Scene) -> ListenerRulesCheckFacts:
    """Shared."""
    stack, every = scene.stack, list[ListenerRulesCheckFacts]()
    shown = {name: rollout.service for name, rollout in scene.rollouts().items()}
    registers = {name: one.target_groups for name, one in shown.items() if one is not None and one.target_groups}
    for balancer in stack.balancers:
        ways = {
            name: TenantRoute(tenant.hostname, tenant.target_group_arn, stack.healthy(name).path)
            for name, tenant in stack.tenants.items()
            if stack.balancer_of(name).arn == balancer.arn
        }
        routing = scene.routings()[balancer.arn]
        services, groups = scene.settings(), scene.groups()
        every.append(ListenerRulesCheckFacts(balancer.dns_name, routing, ways, services, groups, registers=registers))
    return replace(every[0], beside=tuple(every[1:]))


def judge(facts: ListenerRulesCheckFacts) -> Iterable[Finding]:
    """Each load balancer for itself."""
    for one in (facts, *facts.beside):
        yield from _judged(one, whole=not facts.beside)


def _judged(facts: ListenerRulesCheckFacts, *, whole: bool) -> Iterable[Finding]:
    """Without the load balancer or its listener nothing else matters."""
    if not facts.routing.found or facts.routing.state == "failed":
        yield _absent(facts, "the load balancer" if whole else f"load balancer {facts.name}")
        return
    if not facts.routing.https:
        yield _deaf(facts.name, "no site" if whole else f"no site behind {facts.name}")
        return
    site_owners = SiteOwners(
        {tenant: TenantParts(way.hostname, way.target_group, database="") for tenant, way in facts.ways.items()}
    )
    for tenant in facts.ways:
        yield from _route(tenant, site_owners, facts)
        yield from _behind(tenant, facts)


def _absent(facts: ListenerRulesCheckFacts, what: str) -> Finding:
    return Finding(
        code="load-balancer-missing",
        severity=Severity.BLOCKER,
        symptom=f"{what} does not exist",
        cause="it was deleted or recreated: the contract is out of date"
        if not facts.routing.found
        else "AWS failed to create it",
        fix="terraform apply, then orchestrate run with the current outputs",
        evidence=(f"{facts.name}: {'failed' if facts.routing.found else 'LoadBalancerNotFound'}",),
        explains=_SITE | {"dns-record-stale", "dns-record-missing"},
    )


def _deaf(name: str, whose: str = "no site") -> Finding:
    return Finding(
        code="https-listener-missing",
        severity=Severity.BLOCKER,
        symptom=f"{whose} answers over HTTPS",
        cause="the load balancer has no HTTPS listener",
        fix='aws_lb_listener: port = 443, protocol = "HTTPS", certificate_arn = …; terraform apply',
        evidence=(f"{name}: no listener of protocol HTTPS",),
        explains=_SITE,
    )


def _route(tenant: str, site_owners: SiteOwners, facts: ListenerRulesCheckFacts) -> Iterable[Finding]:
    """The judgement of the step `sites`."""
    way, service = facts.ways[tenant], facts.services.get(tenant)
    named = tuple(one.target_group for one in service.ways) if service else None
    inside = SiteBackend(facts.registers.get(tenant) or named)
    problem = tenancy.misled(tenant, way.path, site_owners, facts.routing.rules, inside)
    if problem is None:
        return
    rules = [rule for rule in tenancy.entrance(facts.routing.rules) if rule.matches(way.hostname)]
    others = problem.code == tenancy.MIXED
    yield Finding(
        code=problem.code,
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"visitors of {way.hostname} {'see another tenant' if others else 'do not reach the tenant'}'s tasks",
        cause=problem.message,
        fix=problem.fix,
        evidence=tuple(map(tenancy.said, rules[:3])) or ("the listener has no rules",),
        explains=_SITE,
    )


def _behind(tenant: str, facts: ListenerRulesCheckFacts) -> Iterable[Finding]:
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


SECURE = ("HTTPS", "TLS")
_GATES = ("aws_cloudfront_distribution", "aws_apigatewayv2_integration", "aws_api_gateway_integration")
_HTTPS = """resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.this.arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tenant.arn
  }
}"""


def planned(evidence: Evidence) -> Iterator[Remark]:
    """Before it is applied only that nothing would listen for HTTPS."""
    listeners = list(evidence.blueprint.of_type("aws_lb_listener"))
    if listeners and not any(one.text("protocol") in SECURE for one in listeners) and not _is_in_front(evidence):
        yield from_finding(
            _deaf(listeners[0].address),
            address=listeners[0].address,
            current=", ".join(f"{one.text('protocol')} on {one.text('port')}" for one in listeners),
            wanted="HTTPS on 443, with a certificate",
            hcl=_HTTPS,
            severity=Severity.WARNING,
        )
        return
    for unit in evidence.units:
        host = evidence.tenancy.tenants[unit.tenant].hostname if unit.tenant in evidence.tenancy.tenants else "the site"
        yield unknown(f"whether {host or 'the site'} answers can be seen only once it is applied", subject=unit.tenant)


def _is_in_front(evidence: Evidence) -> bool:
    """Whether browsers meet another first, which speaks HTTPS with them: a CDN, Cloudflare's proxy, an API gateway."""
    there = [*evidence.blueprint.resources.values(), *evidence.blueprint.looked_up]
    marks = {plain(one.text("dns_name")) for one in there if one.type == "aws_lb"}
    marks |= {plain(one.text("arn")) for one in there if one.type == "aws_lb_listener"}
    led = (it for one in there if one.type in _GATES for it in words_of(one.values))
    return bool({plain(it) for it in led} & (marks - {""})) or any(one.proxied for one in records_of(there))


CHECK: Check[Scene, ListenerRulesCheckFacts] = Check(
    id="listener-rules",
    title="Every hostname is sent to its tenant",
    gather=gather,
    judge=judge,
    guide_section="Quick Reference Commands",
)
POINTS = (
    Item(
        id="site",
        title="Every site answers a browser",
        occasion=Checklist.AFTER,
        judge=seen_by("sites", planned),
        lines=("Test site loads at https://demo.vigilon.app",),
        about="A browser needs the hostname, a certificate for it, and a route to healthy tasks.",
    ),
)
