"""`sites`: every tenant's name leads through its own rule, target group and tasks to its own database, and answers.

Name → present load balancer → the listener's first rule for the host → the tenant's target group, where its service's
tasks are registered, whose task definition names the tenant's database → valid certificate → the expected answer, from
every address of the name. What answers may be a WAF, a login provider, or another tenant: none of them is the site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestrator.aws.listeners import Routing
from orchestrator.dns.names import bare, normal
from orchestrator.dns.places import Connect, ZoneReader, locate, wanted
from orchestrator.dns.resolve import DnsAnswer, Resolver
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.step import Blocked, Done, Step, Subject, Unread, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.errors import Problem
from orchestrator.probe import Probe, Reached
from orchestrator.site import answers, tenancy, visits
from orchestrator.site.tenancy import SiteBackend, SiteOwners
from orchestrator.stack.contract import Healthy

SPREADING = 10.0
"""Seconds after a run's first look in which nothing is hopeless: what was changed just before may not show yet.

A rule, a certificate or a service that Terraform has just changed is read, and served, as it was for some seconds.
"""


class ReadsRouting(Protocol):
    """Load balancers' rules."""

    def routing(self, load_balancer: str) -> Routing:
        """Its way in."""
        ...


class SitesContext(visits.VisitsContext, Protocol):
    """What the step needs."""

    @property
    def resolver(self) -> Resolver:
        """Who is asked where the names lead."""
        ...

    @property
    def listeners(self) -> ReadsRouting:
        """Who knows the rules."""
        ...

    @property
    def dns(self) -> Connect:
        """The DNS provider of a name."""
        ...

    @property
    def first_looks(self) -> FirstLooks:
        """When each step first looked."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """Wall-clock time, UTC."""
        ...


PROXYING = frozenset({"cloudflare"})
"""Providers whose own proxy may stand before a name: the world then sees the proxy's addresses."""


@dataclass(frozen=True, slots=True)
class SitesFacts:
    """`answers` are by tenant; `probes`, `others` and `insides` only for those whose name leads to `target`.

    `probes` are of each name's first address, `others` of the rest. `target` is the load balancer; `expected` what a
    tenant's site says when it is up (default: Onyx's). `spreading`: a change made just before may not show yet.
    `targets` and `routings` are of the tenants whose load balancer is another than the stack's.
    """

    target: DnsAnswer
    answers: Mapping[Subject, DnsAnswer]
    probes: Mapping[Subject, Probe] = field(default_factory=dict)
    others: Mapping[Subject, tuple[Probe, ...]] = field(default_factory=dict)
    expected: Mapping[Subject, Healthy] = field(default_factory=dict)
    routing: Routing | None = None
    site_owners: SiteOwners = field(default_factory=SiteOwners)
    insides: Mapping[Subject, SiteBackend] = field(default_factory=dict)
    spreading: bool = False
    unheard: frozenset[str] = frozenset()
    """Zones whose name servers don't answer this machine."""
    unread: Mapping[Subject, Unread] = field(default_factory=dict)
    """Tenants whose way could not be looked at: that it leads to them was not seen."""
    targets: Mapping[Subject, DnsAnswer] = field(default_factory=dict)
    routings: Mapping[Subject, Routing] = field(default_factory=dict)

    def target_of(self, tenant: Subject) -> DnsAnswer:
        """The load balancer that the tenant's name should lead to."""
        return self.targets.get(tenant, self.target)

    def routing_of(self, tenant: Subject) -> Routing | None:
        """Its way in; None: it was not looked at."""
        return self.routings.get(tenant) if tenant in self.targets else self.routing

    proxied: frozenset[Subject] = frozenset()
    """Tenants whose name leads to a proxy of the DNS provider, whose own record leads to `target`."""


def observe(context: SitesContext) -> SitesFacts:
    """All names at once; then, of those that lead here, what is inside, and every address of theirs."""
    stack = context.stack
    tenants = {tenant: it.hostname for tenant, it in stack.tenants.items()}
    expected = {tenant: stack.healthy(tenant) for tenant in tenants}
    with ThreadPoolExecutor(max_workers=visits.AT_ONCE) as pool:
        wanted = [stack.load_balancer.dns_name, *(one.dns_name for one in stack.balancers), *tenants.values()]
        asked = dict.fromkeys(wanted)
        found = dict(zip(asked, pool.map(context.resolver.resolve, asked), strict=True))
    target = found[stack.load_balancer.dns_name]
    answered = {tenant: found[hostname] for tenant, hostname in tenants.items()}
    targets = {tenant: found[stack.balancer_of(tenant).dns_name] for tenant in tenants}
    away = {
        tenant: targets[tenant].name for tenant, it in answered.items() if it.every and not it.leads_to(targets[tenant])
    }
    proxied = _proxied(context, away)
    here = {
        tenant: it.every for tenant, it in answered.items() if it.every and (tenant not in away or tenant in proxied)
    }
    ways = {arn: context.listeners.routing(arn) for arn in dict.fromkeys(stack.balancer_of(it).arn for it in here)}
    routings = {tenant: ways[stack.balancer_of(tenant).arn] for tenant in here}
    seen = visits.look(context, here, routings) if here else visits.Visits()
    apart = {tenant for tenant in tenants if stack.balancer_of(tenant).arn != stack.load_balancer.arn}
    return SitesFacts(
        target,
        answered,
        {tenant: some[0] for tenant, some in seen.probes.items()},
        {tenant: some[1:] for tenant, some in seen.probes.items() if some[1:]},
        expected,
        ways.get(stack.load_balancer.arn),
        SiteOwners.of(stack),
        seen.insides,
        context.first_looks.within(SPREADING, "sites", context.now()),
        context.resolver.unheard,
        seen.unread,
        {tenant: targets[tenant] for tenant in apart},
        {tenant: way for tenant, way in routings.items() if tenant in apart},
        proxied=proxied,
    )


def _proxied(context: SitesContext, targets: Mapping[Subject, str]) -> frozenset[Subject]:
    """Those of the tenants whose record, at a provider with a proxy, is behind it and leads to the load balancer."""
    places = {tenant: wanted(context.stack, tenant) for tenant in targets}
    asked = [tenant for tenant, place in places.items() if place and place.provider in PROXYING]
    if not asked:
        return frozenset()
    reader = ZoneReader(context.dns)
    located, _ = locate(context.stack, reader)
    found = set()
    for tenant in (one for one in asked if one in located):
        records = reader.at(located[tenant], normal(context.stack.tenants[tenant].hostname))
        if any(one.is_proxied and one.is_pointer and bare(targets[tenant]) in map(bare, one.values) for one in records):
            found.add(tenant)
    return frozenset(found)


def decide(facts: SitesFacts) -> Verdicts:
    """The first broken link of each tenant's chain."""
    return {tenant: _verdict(tenant, answer, facts) for tenant, answer in facts.answers.items()}


def _verdict(tenant: Subject, answer: DnsAnswer, facts: SitesFacts) -> Verdict:
    target = facts.target_of(tenant)
    if not answer.chain and not answer.every and not answer.is_final:
        why = f"no name server says where {answer.name} points ({answer.rcode} from {answer.server or 'no server'})"
        return Wait(why, code="site-name-unanswered", fix=f"find out which name server fails: dig +trace {answer.name}")
    if not answer.chain and not answer.every:
        why = f"{answer.name} does not resolve ({answer.rcode} from {answer.server or 'no server'})"
        return Wait(why, code="site-name-unresolved", fix=_point(answer, target))
    if not answer.leads_to(target) and tenant not in facts.proxied:
        remembered = f"; the old answer may be cached for {answer.ttl} s" if answer.ttl else ""
        why = f"{answer} is not the current load balancer {target.name}{remembered}"
        return Wait(why, code="site-name-stale", fix=_point(answer, target))
    if tenant in facts.unread:
        return facts.unread[tenant].verdict
    problem = _inside(tenant, facts)
    if problem:
        return _hopeless(problem, facts)
    if tenant not in facts.probes:
        why = f"{answer.name} points to {target.name}, which has no address yet ({answer.rcode})"
        return Wait(why, code="site-unreachable", fix="check that the load balancer is active")
    return _answered(tenant, answer.name, facts)


def _point(answer: DnsAnswer, target: DnsAnswer) -> str:
    return f"point {answer.name} to {target.name} (CNAME), and check the zone's name servers at its registrar"


def _inside(tenant: Subject, facts: SitesFacts) -> Problem | None:
    routing = facts.routing_of(tenant)
    if routing is None:
        return None
    path = facts.expected.get(tenant, Healthy()).path
    return visits.not_its_own(tenant, path, facts.site_owners, routing, facts.insides)


def _hopeless(problem: Problem, facts: SitesFacts) -> Verdict:
    if facts.spreading or problem.code in visits.PASSING:
        return Wait(problem.message, problem.code, problem.fix)
    return Blocked(problem)


def _answered(tenant: Subject, hostname: str, facts: SitesFacts) -> Verdict:
    """The worst of what its addresses give. One that can't be tried from here counts for nothing."""
    probes = (facts.probes[tenant], *facts.others.get(tenant, ()))
    expected = facts.expected.get(tenant, Healthy())
    tried = [probe for probe in probes if probe.reached is not Reached.NO_IPV6]
    if not tried:
        why = f"https://{hostname} has IPv6 addresses only, and this machine has no IPv6"
        return Wait(why, code="site-unreachable", fix="run it where there is IPv6, or give the name an IPv4 address")
    verdicts = [_of_probe(hostname, probe, expected, facts) for probe in tried]
    bad = [one for one in verdicts if not isinstance(one, Done)]
    if bad:
        return min(bad, key=lambda one: not isinstance(one, Blocked))
    untried = f"; not tried from here: {len(probes) - len(tried)} IPv6 addresses" if len(tried) < len(probes) else ""
    where = f" at {len(tried)} addresses" if len(tried) > 1 else ""
    first = tried[0]
    place = f", seen from {first.seen_from}" if first.seen_from else ""
    answer = f"https://{hostname} answers with HTTP {first.status} on {expected.path}{where}{place}{untried}"
    return Done(answer + _proven(tenant, facts))


def _proven(tenant: Subject, facts: SitesFacts) -> str:
    """What was seen to be the tenant's own."""
    seen = facts.insides.get(tenant)
    if seen is None:
        return ""
    if not seen.closely:
        return "; its rule is its own, ECS calls its service steady; targets and task definition not asked for"
    if tenancy.unjudged(tenant, facts.site_owners, seen):
        return "; rule and targets are its own, its database is not judged"
    return f"; rule, targets and database {facts.site_owners.tenants[tenant].database} are its own"


def _of_probe(hostname: str, probe: Probe, expected: Healthy, facts: SitesFacts) -> Verdict:
    site = f"https://{hostname}"
    match probe.reached:
        case Reached.TLS_INVALID:
            return _hopeless(_bad_certificate(hostname, probe), facts)
        case Reached.TLS_REFUSED:
            why = f"{site} aborts the TLS handshake at {probe.address}: {probe.detail}"
            fix = "a new listener or certificate needs a moment; otherwise check the HTTPS listener's certificate"
            return Wait(why, code="site-tls-refused", fix=fix)
        case Reached.ANSWERED:
            problem = answers.wrong(hostname, probe, expected)
            if problem is None:
                return Done(site)
            passing = probe.status >= answers.SERVER_ERROR
            return Wait(problem.message, problem.code, problem.fix) if passing else _hopeless(problem, facts)
        case _:
            fix = "check the load balancer's HTTPS listener and that its security group admits this machine"
            return Wait(f"{site} can't be reached at {probe.address}: {probe.detail}", code="site-unreachable", fix=fix)


def _bad_certificate(hostname: str, probe: Probe) -> Problem:
    return Problem(
        code="site-tls-invalid",
        message=f"the certificate at {probe.address} is not valid for {hostname}: {probe.detail}",
        context=f"https://{hostname}",
        fix="the listener needs a certificate that covers the name; for a private CA set ORCHESTRATE_CA_FILE",
    )


def findings(facts: SitesFacts) -> Iterable[Problem]:
    """Whose database can't be told from outside, and who was asked for names instead of who should have been."""
    if facts.unheard:
        message = f"the name servers of {', '.join(sorted(facts.unheard))} don't answer this machine"
        fix = "open port 53 (UDP, TCP) to the outside, or name a resolver that you trust: --resolver ADDRESS:PORT"
        yield Problem(
            "dns-port-closed", f"{message}: the system's resolver was asked, which may remember old answers", "", fix
        )
    for tenant, one in facts.insides.items():
        found = tenancy.unjudged(tenant, facts.site_owners, one)
        if found:
            yield found


STEP: Step[SitesContext, SitesFacts] = Step(
    id="sites",
    title="sites answer over HTTPS, each from its own tenant's tasks",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    needs=("services", "dns-records"),
    timeout=300.0,
    findings=findings,
)
