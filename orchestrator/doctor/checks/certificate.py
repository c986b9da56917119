"""The certificate: issued, valid for every hostname, not about to expire, and used by the HTTPS listener."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.aws.acm import ISSUED, AcmCertificate
from orchestrator.aws.listeners import Routing
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.site import answers

SOON = timedelta(days=14)
"""ACM renews 60 days before the end; what is this late has failed to."""
_SITE = answers.CODES | {"site-tls-invalid"}


@dataclass(frozen=True, slots=True)
class CertificateCheckFacts:
    """The contract's certificate (None: it names none, or there is none of that ARN).

    `others` are those that the listener shows besides, by SNI; None: they could not be read.
    """

    arn: str
    certificate: AcmCertificate | None
    hostnames: Mapping[str, str]
    routing: Routing
    now: datetime
    others: tuple[AcmCertificate, ...] | None = ()
    beside: tuple[CertificateCheckFacts, ...] = ()
    """The same of the stack's further certificates, each with the tenants that it is for."""


def gather(scene: Scene) -> CertificateCheckFacts:
    """One call, and one for each other certificate; the listeners are shared."""
    stack = scene.stack
    ways: dict[tuple[str, str], list[str]] = {}
    for tenant in stack.tenants:
        own = stack.certificate_of(tenant)
        ways.setdefault((own.arn if own else "", stack.balancer_of(tenant).arn), []).append(tenant)
    every = [_facts(scene, arn, balancer, tenants) for (arn, balancer), tenants in ways.items()]
    first, *rest = sorted(every, key=lambda one: not (stack.certificate and one.arn == stack.certificate.arn))
    return replace(first, beside=tuple(rest))


def _facts(scene: Scene, arn: str, balancer: str, tenants: Sequence[str]) -> CertificateCheckFacts:
    """Of one certificate on one load balancer."""
    known, routing = scene.certificates(), scene.routings()[balancer]
    others = [known[one] for one in routing.certificates if arn and one != arn]
    readable = [one for one in others if one is not None]
    hostnames = {name: scene.stack.tenants[name].hostname for name in tenants}
    told = tuple(readable) if len(readable) == len(others) else None
    return CertificateCheckFacts(arn, known.get(arn), hostnames, routing, scene.now, told)


def judge(facts: CertificateCheckFacts) -> Iterable[Finding]:
    """Each certificate's own state, then who it is for."""
    if not facts.beside:
        yield from _judged(facts, "every site", "")
        return
    for one in (facts, *facts.beside):
        yield from _judged(one, ", ".join(sorted(one.hostnames.values())), f" --arn {one.arn}")


def _judged(facts: CertificateCheckFacts, whom: str, argument: str) -> Iterable[Finding]:
    if not facts.arn:
        return
    certificate = facts.certificate
    if certificate is None:
        yield _stack("certificate-missing", "there is no such certificate", "terraform apply", facts.arn, whom)
        return
    if certificate.status != ISSUED:
        yield _not_issued(certificate, whom, argument)
        return
    end = certificate.not_after
    if end is not None and end - facts.now < SOON:
        yield _ending(end, whom, argument, over=end <= facts.now)
    if facts.routing.found and facts.routing.https and facts.arn not in facts.routing.certificates:
        shown = ", ".join(facts.routing.certificates) or "none"
        fix = f"certificate_arn = {facts.arn} in aws_lb_listener; terraform apply"
        cause = "the HTTPS listener uses another certificate"
        yield _stack("certificate-not-used", cause, fix, f"listener: {shown}", whom)
    for tenant, hostname in facts.hostnames.items():
        offered = [certificate, *(one for one in facts.others or () if one.status == ISSUED)]
        if facts.others is not None and not any(_covers(one, hostname) for one in offered):
            yield _not_covered(tenant, hostname, offered)


def _covers(certificate: AcmCertificate, hostname: str) -> bool:
    names = {one.hostname.lower() for one in certificate.validations}
    return not names or bool(names & {hostname.lower(), f"*.{hostname.lower().partition('.')[2]}"})


def _stack(code: str, cause: str, fix: str, evidence: str, whom: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKER,
        symptom=f"browsers refuse {whom}",
        cause=cause,
        fix=fix,
        evidence=(evidence,),
        explains=_SITE | {"https-listener-missing"},
    )


def _not_issued(certificate: AcmCertificate, whom: str, argument: str) -> Finding:
    pending = [one for one in certificate.validations if one.status != "SUCCESS"]
    records = [f"{one.record} CNAME {one.value}" for one in pending if one.record]
    failed = certificate.status not in ("PENDING_VALIDATION", "INACTIVE")
    fix = f"orchestrate certificate{argument}" if not failed else "terraform apply -replace=<the aws_acm_certificate>"
    return Finding(
        code="certificate-not-issued",
        severity=Severity.BLOCKER,
        symptom=f"browsers refuse {whom}: there is no valid certificate",
        cause=f"the certificate is {certificate.status}"
        + (f" ({certificate.failure})" if certificate.failure else "")
        + ("" if failed else ": its validation records are not in DNS, or ACM has not looked yet"),
        fix=f"{fix}; or put these records into the zone: {'; '.join(records)}" if records else fix,
        evidence=(f"Status {certificate.status}", *(f"{one.hostname}: {one.status}" for one in pending)),
        explains=_SITE | {"https-listener-missing", "certificate-not-used"},
    )


def _ending(end: datetime, whom: str, argument: str, *, over: bool) -> Finding:
    return Finding(
        code="certificate-expired" if over else "certificate-expiring",
        severity=Severity.BLOCKER if over else Severity.WARNING,
        symptom=f"browsers refuse {whom}" if over else f"browsers will soon refuse {whom}",
        cause=f"the certificate {'expired' if over else 'expires'} on {end:%Y-%m-%d}; ACM could not renew it",
        fix=f"orchestrate certificate{argument}: publishes its validation records again, then ACM renews it "
        "by itself within hours; one that was imported or validated by e-mail must be renewed by its owner",
        evidence=(f"NotAfter {end.isoformat()}",),
        explains=_SITE,
    )


def _not_covered(tenant: str, hostname: str, shown: Sequence[AcmCertificate]) -> Finding:
    names = ", ".join(one.hostname for certificate in shown for one in certificate.validations)
    return Finding(
        code="certificate-other-names",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"browsers refuse https://{hostname}",
        cause="the certificate is not for this name" if len(shown) == 1 else "no certificate is for this name",
        fix=f'subject_alternative_names = [… "{hostname}"] in aws_acm_certificate; terraform apply',
        evidence=(f"names: {names}",),
        explains=_SITE,
    )


CHECK: Check[Scene, CertificateCheckFacts] = Check(
    id="certificate",
    title="The certificate is valid for every hostname",
    gather=gather,
    judge=judge,
    guide_section="",
)
