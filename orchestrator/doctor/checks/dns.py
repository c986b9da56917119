"""What public DNS says about every hostname: it points to the current load balancer, and not to an old one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.dns.resolve import NOERROR, NXDOMAIN, DnsAnswer
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import Blocked, Done, Verdict, Wait
from orchestrator.site import answers

_SITE = answers.CODES


@dataclass(frozen=True, slots=True)
class DnsCheckFacts:
    """Answers by name; hostnames by tenant; the load balancer's present name; `targets` of tenants with another one."""

    answers: Mapping[str, DnsAnswer]
    hostnames: Mapping[str, str]
    target: str
    managed: bool = True
    """Whether a provider of the contract holds the records."""
    intended: Mapping[str, Verdict] = field(default_factory=dict)
    """What `dns-records` would do about those that are not right, by tenant; asked only where there are any."""
    targets: Mapping[str, str] = field(default_factory=dict)

    def target_of(self, tenant: str) -> str:
        """The load balancer that the tenant's name should lead to."""
        return self.targets.get(tenant, self.target)


def gather(scene: Scene) -> DnsCheckFacts:
    """All names at once; where one is not right, its provider is asked what the step would do."""
    hostnames = {name: tenant.hostname for name, tenant in scene.stack.tenants.items()}
    managed = scene.stack.dns is not None or any(tenant.dns for tenant in scene.stack.tenants.values())
    stack = scene.stack
    facts = DnsCheckFacts(scene.answers(), hostnames, stack.load_balancer.dns_name, managed)
    facts = replace(facts, targets={tenant: stack.balancer_of(tenant).dns_name for tenant in stack.tenants})
    return replace(facts, intended=scene.intended_records()) if managed and any(judge(facts)) else facts


def judge(facts: DnsCheckFacts) -> Iterable[Finding]:
    """A server that doesn't answer is a warning: nothing is known of the name."""
    for tenant, hostname in facts.hostnames.items():
        answer, target = facts.answers[hostname], facts.answers[facts.target_of(tenant)]
        if answer.rcode not in (NOERROR, NXDOMAIN):
            yield _unanswered(tenant, answer)
        elif not answer.chain and not answer.addresses:
            yield _missing(tenant, answer, facts)
        elif not answer.leads_to(target):
            yield _stale(tenant, answer, facts)


def _fix(tenant: str, hostname: str, facts: DnsCheckFacts) -> str:
    match facts.intended.get(tenant):
        case Blocked(problem):
            return f"{problem.fix} (the step dns-records refuses otherwise: {problem.message})"
        case Wait() as wait:
            return f"none needed at the provider: {wait.because}" + (f"; {wait.fix}" if wait.fix else "")
        case Done(detail):
            return f"none needed at the provider: {detail}"
    if facts.managed:
        return f"orchestrate run --only dns-records --tenant {tenant}"
    return f"in its zone, make {hostname} a CNAME for {facts.target_of(tenant)}"


def _missing(tenant: str, answer: DnsAnswer, facts: DnsCheckFacts) -> Finding:
    return Finding(
        code="dns-record-missing",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"{answer.name} does not resolve",
        cause="no record of that name is in its zone (or the zone is not the one its registrar points to)",
        fix=_fix(tenant, answer.name, facts),
        evidence=(f"{answer} from {answer.server or 'the resolver'}",),
        explains=_SITE,
    )


def _stale(tenant: str, answer: DnsAnswer, facts: DnsCheckFacts) -> Finding:
    remembered = (f"the old answer may be cached for {answer.ttl} s",) if answer.ttl else ()
    return Finding(
        code="dns-record-stale",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"{answer.name} points to another load balancer",
        cause="the load balancer was recreated (its name changes each time), and the record was not updated",
        fix=_fix(tenant, answer.name, facts),
        evidence=(str(answer), f"the current load balancer is {facts.target_of(tenant)}", *remembered),
        explains=_SITE,
    )


def _unanswered(tenant: str, answer: DnsAnswer) -> Finding:
    return Finding(
        code="dns-unanswered",
        severity=Severity.WARNING,
        subject=tenant,
        symptom=f"no name server says where {answer.name} points",
        cause=f"the name server answered {answer.rcode}",
        fix=f"find out which name server fails (dig +trace {answer.name}): the zone's own, which its registrar must "
        "list, or the resolver that was asked here (another one: --resolver)",
        evidence=(f"{answer.name}: {answer.rcode} from {answer.server or 'no server'}",),
    )


CHECK: Check[Scene, DnsCheckFacts] = Check(
    id="dns",
    title="Every hostname points to the current load balancer",
    gather=gather,
    judge=judge,
    guide_section="Terraform Destroy/Apply Cycle",
)
