"""`sites`: every tenant's site answers a visitor: name → present load balancer → valid certificate → HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from orchestrator.contract import Stack
from orchestrator.dns.resolve import Answer, Resolver
from orchestrator.engine.step import Blocked, Done, Step, Subject, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.errors import Problem
from orchestrator.probe import Probe, Reached

VISITORS_AT_ONCE = 16
ASKS_FOR_LOGIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Visit(Protocol):
    """One HTTPS request to an address, as a visitor of the hostname."""

    def __call__(self, hostname: str, address: str) -> Probe:
        """Never raises for what is wrong with the site."""
        ...


class Context(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def resolver(self) -> Resolver:
        """Who is asked where the names lead."""
        ...

    @property
    def probe(self) -> Visit:
        """Who visits the sites."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """`answers` are by tenant; `probes` only for those whose name leads to `target`, the load balancer."""

    target: Answer
    answers: Mapping[Subject, Answer]
    probes: Mapping[Subject, Probe] = field(default_factory=dict)


def observe(context: Context) -> Facts:
    """All names at once, then all sites at once; a name that leads elsewhere is not visited."""
    tenants = {tenant: it.hostname for tenant, it in context.stack.tenants.items()}
    with ThreadPoolExecutor(max_workers=VISITORS_AT_ONCE) as pool:
        names = [context.stack.load_balancer.dns_name, *tenants.values()]
        target, *found = pool.map(context.resolver.resolve, names)
        answers = dict(zip(tenants, found, strict=True))
        here = [tenant for tenant, answer in answers.items() if answer.addresses and answer.leads_to(target)]
        hostnames, addresses = [tenants[t] for t in here], [answers[t].addresses[0] for t in here]
        probes = dict(zip(here, pool.map(context.probe, hostnames, addresses), strict=True))
    return Facts(target, answers, probes)


def decide(facts: Facts) -> Verdicts:
    """The first broken link of each tenant's chain."""
    return {
        tenant: _verdict(facts.target, answer, facts.probes.get(tenant)) for tenant, answer in facts.answers.items()
    }


def _verdict(target: Answer, answer: Answer, probe: Probe | None) -> Verdict:
    if not answer.chain and not answer.addresses:
        why = f"{answer.name} does not resolve ({answer.rcode} from {answer.server or 'no server'})"
        return Wait(why, code="site-name-unresolved", fix=_point(answer, target))
    if not answer.leads_to(target):
        remembered = f"; the old answer may be remembered for {answer.ttl} s" if answer.ttl else ""
        why = f"{answer} is not the present load balancer {target.name}{remembered}"
        return Wait(why, code="site-name-stale", fix=_point(answer, target))
    if probe is None:
        why = f"{answer.name} leads to {target.name}, which has no address yet ({answer.rcode})"
        return Wait(why, code="site-unreachable", fix="check that the load balancer is active")
    return _visited(answer.name, probe)


def _point(answer: Answer, target: Answer) -> str:
    return f"point {answer.name} to {target.name} (CNAME), and check the zone's name servers at its registrar"


def _visited(hostname: str, probe: Probe) -> Verdict:
    site = f"https://{hostname}"
    match probe.reached:
        case Reached.TLS_INVALID:
            return Blocked(_bad_certificate(hostname, probe))
        case Reached.UNREACHABLE:
            fix = "check the load balancer's HTTPS listener and that its security group admits this machine"
            return Wait(f"{site} can't be reached at {probe.address}: {probe.detail}", code="site-unreachable", fix=fix)
        case Reached.ANSWERED:
            return _answered(site, probe.status)


def _answered(site: str, status: int) -> Verdict:
    if 200 <= status < 400 or status in ASKS_FOR_LOGIN:
        return Done(f"{site} answers with HTTP {status}")
    if status >= 500:
        fix = "look at the service's tasks and targets, and at its log group"
        return Wait(f"{site} answers with HTTP {status}", code="site-http-error", fix=fix)
    return Blocked(
        Problem(
            code="site-http-error",
            message=f"{site} answers with HTTP {status}",
            context=site,
            fix="check the listener's rule for this host name: its default answer may be what is seen",
        )
    )


def _bad_certificate(hostname: str, probe: Probe) -> Problem:
    return Problem(
        code="site-tls-invalid",
        message=f"the certificate at {probe.address} is not valid for {hostname}: {probe.detail}",
        context=f"https://{hostname}",
        fix="the listener needs a certificate that covers the name; for a private authority set ORCHESTRATE_CA_FILE",
    )


STEP: Step[Context, Facts] = Step(
    id="sites",
    title="The sites answer over HTTPS",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    needs=("services", "dns-records"),
    timeout=300.0,
)
