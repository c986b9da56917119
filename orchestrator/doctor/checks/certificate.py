"""The certificate: issued, for every hostname, not about to end, and the one that the HTTPS listener shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


def gather(scene: Scene) -> CertificateCheckFacts:
    """One call, and one for each other certificate; the listener is shared."""
    wanted = scene.stack.certificate
    hostnames = {name: tenant.hostname for name, tenant in scene.stack.tenants.items()}
    others = scene.other_certificates()
    return CertificateCheckFacts(
        wanted.arn if wanted else "", scene.certificate(), hostnames, scene.routing(), scene.now, others
    )


def judge(facts: CertificateCheckFacts) -> Iterable[Finding]:
    """The certificate's own state, then who it is for."""
    if not facts.arn:
        return
    certificate = facts.certificate
    if certificate is None:
        yield _stack("certificate-missing", "there is no such certificate", "terraform apply", facts.arn)
        return
    if certificate.status != ISSUED:
        yield _not_issued(certificate)
        return
    end = certificate.not_after
    if end is not None and end - facts.now < SOON:
        yield _ending(certificate, end, over=end <= facts.now)
    if facts.routing.found and facts.routing.https and facts.arn not in facts.routing.certificates:
        shown = ", ".join(facts.routing.certificates) or "none"
        fix = f"certificate_arn = {facts.arn} in aws_lb_listener; terraform apply"
        yield _stack("certificate-not-used", "the HTTPS listener uses another certificate", fix, f"listener: {shown}")
    for tenant, hostname in facts.hostnames.items():
        offered = [certificate, *(one for one in facts.others or () if one.status == ISSUED)]
        if facts.others is not None and not any(_covers(one, hostname) for one in offered):
            yield _not_covered(tenant, hostname, offered)


def _covers(certificate: AcmCertificate, hostname: str) -> bool:
    names = {one.hostname.lower() for one in certificate.validations}
    return not names or bool(names & {hostname.lower(), f"*.{hostname.lower().partition('.')[2]}"})


def _stack(code: str, cause: str, fix: str, evidence: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKER,
        symptom="browsers refuse every site",
        cause=cause,
        fix=fix,
        evidence=(evidence,),
        explains=_SITE | {"https-listener-missing"},
    )


def _not_issued(certificate: AcmCertificate) -> Finding:
    pending = [one for one in certificate.validations if one.status != "SUCCESS"]
    records = [f"{one.record} CNAME {one.value}" for one in pending if one.record]
    failed = certificate.status not in ("PENDING_VALIDATION", "INACTIVE")
    fix = "orchestrate certificate" if not failed else "terraform apply -replace=<the aws_acm_certificate>"
    return Finding(
        code="certificate-not-issued",
        severity=Severity.BLOCKER,
        symptom="browsers refuse every site: there is no valid certificate",
        cause=f"the certificate is {certificate.status} {certificate.failure}".rstrip()
        + ("" if failed else ": its validation records are not in DNS, or ACM has not looked yet"),
        fix=f"{fix}; or put these records into the zone: {'; '.join(records)}" if records else fix,
        evidence=(f"Status {certificate.status}", *(f"{one.hostname}: {one.status}" for one in pending)),
        explains=_SITE | {"https-listener-missing", "certificate-not-used"},
    )


def _ending(certificate: AcmCertificate, end: datetime, *, over: bool) -> Finding:
    return Finding(
        code="certificate-expired" if over else "certificate-expiring",
        severity=Severity.BLOCKER if over else Severity.WARNING,
        symptom="browsers refuse every site" if over else "browsers will soon refuse every site",
        cause=f"the certificate {'ended' if over else 'ends'} at {end:%Y-%m-%d}; ACM could not renew it",
        fix="put its validation records back into DNS: aws acm describe-certificate --certificate-arn "
        + certificate.arn,
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
