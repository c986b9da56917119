"""What visitors get: the expected answer, from the tenant's own tasks.

A WAF, a login page or another tenant doesn't count. It is judged as in the step `sites`. Other checks report what they
can explain better: rules by `listener-rules`, the database of a task definition
that is nobody else's by `database-settings`, names by `dns`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.listeners import Routing
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import Subject
from orchestrator.errors import Problem
from orchestrator.probe import Probe, Reached
from orchestrator.site import answers, tenancy
from orchestrator.site.tenancy import SiteBackend, SiteOwners
from orchestrator.stack.contract import Healthy

UNSEEN = frozenset({"site-unreachable", "site-tls-refused"})
_BREAKS = {Reached.UNREACHABLE: "site-unreachable", Reached.TLS_REFUSED: "site-tls-refused"}
_FIXES = {
    "site-unreachable": "check that this machine can reach the load balancer on its HTTPS port (curl -v {site})",
    "site-tls-refused": "check the HTTPS listener's certificate; one that has just changed needs a moment",
}


@dataclass(frozen=True, slots=True)
class SitesCheckFacts:
    """Of the tenants whose names lead here: what each of their addresses answers, and what is behind.

    `steady`: tenants whose tasks run and whose targets are healthy. Of others a server's error says nothing new.
    """

    routing: Routing
    site_owners: SiteOwners
    probes: Mapping[Subject, tuple[Probe, ...]] = field(default_factory=dict)
    insides: Mapping[Subject, SiteBackend] = field(default_factory=dict)
    expected: Mapping[Subject, Healthy] = field(default_factory=dict)
    steady: frozenset[Subject] = frozenset()
    routings: Mapping[Subject, Routing] = field(default_factory=dict)
    """Of the tenants whose load balancer is another than the stack's."""

    def routing_of(self, tenant: Subject) -> Routing:
        """The tenant's way in."""
        return self.routings.get(tenant, self.routing)


def gather(scene: Scene) -> SitesCheckFacts:
    """One request an address; for each tenant its running tasks, their targets and task definitions."""
    stack, seen, site_owners = scene.stack, scene.visits(), SiteOwners.of(scene.stack)
    first = scene.routings().get(stack.load_balancer.arn, Routing(found=False))
    if not seen.probes:
        return SitesCheckFacts(first, site_owners)
    steady = frozenset(name for name, one in scene.rollouts().items() if one.serves)
    return SitesCheckFacts(
        first,
        site_owners,
        seen.probes,
        seen.insides,
        {name: stack.healthy(name) for name in seen.probes},
        steady,
        {name: scene.routing_of(name) for name in seen.probes},
    )


def judge(facts: SitesCheckFacts) -> Iterable[Finding]:
    """Whose site it is before what it says."""
    for tenant, probes in facts.probes.items():
        expected = facts.expected.get(tenant, Healthy())
        if mixed := _of_another(tenant, expected.path, facts):
            yield mixed
        found = [one for probe in probes if (one := _of_probe(tenant, probe, expected, facts))]
        yield from found[:1]


def _of_another(tenant: Subject, path: str, facts: SitesCheckFacts) -> Finding | None:
    """What is registered or used behind a name whose rule is right."""
    inside, own = facts.insides.get(tenant), facts.site_owners.tenants[tenant]
    if inside is None or tenancy.misled(tenant, path, facts.site_owners, facts.routing_of(tenant).rules, inside):
        return None
    problem = tenancy.mixed_up(tenant, facts.site_owners, facts.insides)
    if problem is None or problem.code != tenancy.MIXED:
        return None
    return Finding(
        code=problem.code,
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"visitors of {own.hostname} see another tenant's data",
        cause=problem.message,
        fix=problem.fix,
        evidence=tuple(_evidence(inside)) or (own.target_group,),
        explains=answers.CODES | {"database-name-wrong", "target-foreign"},
    )


def _evidence(inside: SiteBackend) -> Iterator[str]:
    yield f"targets {', '.join(inside.serving) or 'none'}; the service's tasks are at {', '.join(inside.addresses)}"
    for one in inside.connections:
        yield f"{one.container}: POSTGRES_DB {one.database}, POSTGRES_HOST {one.host}"


def _of_probe(tenant: Subject, probe: Probe, expected: Healthy, facts: SitesCheckFacts) -> Finding | None:
    hostname = facts.site_owners.tenants[tenant].hostname
    site = f"https://{hostname}{expected.path}"
    if probe.reached is Reached.ANSWERED:
        problem = answers.wrong(hostname, probe, expected)
        if problem is None or (probe.status >= answers.SERVER_ERROR and tenant not in facts.steady):
            return None
        return _answered(tenant, probe, problem)
    if probe.reached is Reached.TLS_INVALID:
        fix = "the listener needs a certificate for the name; for a private CA set ORCHESTRATE_CA_FILE"
        return _broken(tenant, probe, "site-tls-invalid", f"the certificate is not valid for {hostname}", fix)
    if probe.reached in _BREAKS:
        code = _BREAKS[probe.reached]
        return _broken(tenant, probe, code, f"{site} does not answer this machine", _FIXES[code].format(site=site))
    return None


def _answered(tenant: Subject, probe: Probe, problem: Problem) -> Finding:
    where = f" → {probe.location}" if probe.location else ""
    return Finding(
        code=problem.code,
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom="the site answers, but not like a site that is up",
        cause=problem.message,
        fix=problem.fix,
        evidence=(f"{probe.address}: HTTP {probe.status}{where}",),
        consequence=probe.status >= answers.SERVER_ERROR,
    )


def _broken(tenant: Subject, probe: Probe, code: str, symptom: str, fix: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING if code in UNSEEN else Severity.BLOCKER,
        subject=tenant,
        symptom=symptom,
        cause=probe.detail or str(probe.reached),
        fix=fix,
        evidence=(f"{probe.address}{f', seen from {probe.seen_from}' if probe.seen_from else ''}",),
        consequence=True,
    )


CHECK: Check[Scene, SitesCheckFacts] = Check(
    id="sites",
    title="Every site answers, from its own tenant's tasks",
    gather=gather,
    judge=judge,
)
