"""`orchestrate certificate`: ACM's validation records in DNS, and the wait until the certificate is issued.

The records stay when the stack goes: they are the same for an account and a name, so a certificate made again is issued
by itself, and nothing is to be done here. They are needed once more when ACM renews it: those that are gone by then are
published again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.aws.acm import ISSUED, PENDING, AcmCertificate, Validation
from orchestrator.dns import model, names, places, submission
from orchestrator.dns.model import Conflict, Record
from orchestrator.dns.places import ZoneReader
from orchestrator.dns.submission import LocatedChange
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts, Wait
from orchestrator.errors import Invalid, Problem
from orchestrator.stack.contract import Dns, Stack
from orchestrator.stack.values import Arn

VARIABLE = "ORCHESTRATE_CERTIFICATE"
"""What the hook in terraform/ gives: a `Request` as JSON."""
TTL = 300
_ACM = ".acm-validations.aws"
RENEWAL = timedelta(days=60)
"""Before its end ACM begins to renew a certificate (ACM User Guide, "Renewal for domains validated by DNS")."""

FIXES = {
    "CAA_ERROR": 'add a CAA record that lets Amazon issue (0 issue "amazon.com") or remove those that forbid it; '
    "then request the certificate again (terraform apply -replace)",
    "VALIDATION_TIMED_OUT": "72 hours have passed: request the certificate again (terraform apply -replace)",
    "DOMAIN_NOT_ALLOWED": "AWS blocks this domain: ask AWS support",
    "INVALID_PUBLIC_DOMAIN": "correct the hostname: it is not in a public domain",
}
"""By ACM's reason or status."""


class Request(BaseModel):
    """A certificate, and where its names' records live: `dns`, but for the names in `names`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    arn: Arn
    region: str = Field(min_length=1)
    account_id: str | None = None
    dns: Dns | None = None
    names: dict[str, Dns] = Field(default_factory=dict)

    def wanted(self, hostname: str) -> Dns | None:
        """Who holds the name; None: it isn't ours to manage."""
        return self.names.get(names.normal(hostname).removeprefix("*."), self.dns)


def request_of(stack: Stack, arn: str = "") -> Request:
    """Of the certificate of this ARN, or else the stack's own. Raises `Invalid` when that is none, or several."""
    place = "contract: certificate"
    if not arn and not stack.certificates:
        fix = "name it with --arn"
        raise Invalid(Problem("certificate-unknown", "the contract names no certificate", place, fix))
    if not arn and len(stack.certificates) > 1:
        message = f"the contract names {len(stack.certificates)} certificates"
        fix = f"name one of them with --arn: {', '.join(stack.certificates)}"
        raise Invalid(Problem("certificate-ambiguous", message, place, fix))
    own = {tenant.hostname: tenant.dns for tenant in stack.tenants.values() if tenant.dns}
    return Request(
        arn=arn or stack.certificates[0], region=stack.region, account_id=stack.account_id, dns=stack.dns, names=own
    )


def request_from(text: str) -> Request:
    """The hook's request. Raises `Invalid`."""
    try:
        return Request.model_validate_json(text)
    except ValidationError as error:
        places_ = ", ".join(".".join(map(str, found["loc"])) or "JSON" for found in error.errors())
        fix = "it holds arn, region, account_id and dns: see terraform/modules/certificate"
        raise Invalid(Problem("certificate-request-invalid", f"wrong: {places_}", VARIABLE, fix)) from None


class Certificates(Protocol):
    """Who knows certificates."""

    def certificate(self, arn: str) -> AcmCertificate:
        """Its state now."""
        ...


@dataclass(frozen=True)
class CertificateContext:
    """What the step needs."""

    request: Request
    acm: Certificates
    dns: places.Connect
    now: Callable[[], datetime]
    """Wall-clock time, UTC."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """`needed` is what a zone needs for a name; a name in none of the three has its record, or no DNS of ours."""

    certificate: AcmCertificate
    managed: frozenset[str] = frozenset()
    needed: Mapping[str, LocatedChange] = field(default_factory=dict)
    problems: Mapping[str, Problem] = field(default_factory=dict)
    passing: frozenset[str] = frozenset()
    """Names whose problem may pass."""


def observe(context: CertificateContext) -> CertificateFacts:
    """The certificate; the zones only while it waits for them, or its renewal does."""
    certificate = context.acm.certificate(context.request.arn)
    end = certificate.not_after
    renewing = certificate.status == ISSUED and end is not None and end - context.now() < RENEWAL
    if certificate.status != PENDING and not (renewing and certificate.method == "DNS"):
        return CertificateFacts(certificate)
    zone_reader = ZoneReader(context.dns)
    managed: set[str] = set()
    needed: dict[str, LocatedChange] = {}
    problems: dict[str, Problem] = {}
    for validation in certificate.validations:
        asked = context.request.wanted(validation.hostname)
        if asked is None or not validation.record:
            continue
        managed.add(validation.hostname)
        match _need(context, zone_reader, validation, asked):
            case LocatedChange() as change:
                needed[validation.hostname] = change
            case Problem() as problem:
                problems[validation.hostname] = problem
    passing = frozenset(name for name, problem in problems.items() if zone_reader.may_pass(problem))
    return CertificateFacts(certificate, frozenset(managed), needed, problems, passing)


def _need(
    context: CertificateContext, zone_reader: ZoneReader, validation: Validation, asked: Dns
) -> LocatedChange | Problem | None:
    place = zone_reader.find(names.normal(validation.record), asked)
    if isinstance(place, Problem):
        return place
    records = zone_reader.records(place)
    if isinstance(records, Problem):
        return records
    ttl = max(TTL, context.dns(place.provider).minimum_ttl)
    wanted = Record(validation.record, "CNAME", (validation.value,), ttl)
    plan = model.plan(place.zone, records, [wanted], _is_acms)
    if plan.conflicts:
        return _conflict(plan.conflicts[0])
    return LocatedChange(place, plan.changes[0]) if plan.changes else None


def _is_acms(value: str) -> bool:
    """Another account's validation of the same name: worth nothing here, and ACM's own."""
    return names.normal(value).endswith(_ACM)


def _conflict(conflict: Conflict) -> Problem:
    return Problem(
        code="dns-foreign-record",
        message=conflict.problem.message,
        context=conflict.wanted.name,
        fix=f"delete that record and run again: only ACM's own belongs there ({conflict.wanted})",
    )


def decide(facts: CertificateFacts) -> Verdicts:
    """Per name of the certificate."""
    return {one.hostname: _verdict(facts, one) for one in facts.certificate.validations} or {"": _overall(facts)}


def _overall(facts: CertificateFacts) -> Verdict:
    """What holds for the certificate as a whole."""
    certificate = facts.certificate
    if certificate.status == ISSUED:
        until = f", valid until {certificate.not_after:%Y-%m-%d}" if certificate.not_after else ""
        unseen = "; whether ACM can renew it was not seen" if facts.problems else ""
        return Done(f"issued{until}{unseen}")
    if certificate.status == PENDING:
        return Wait("ACM has not created its validation records yet", code="certificate-not-issued")
    reason = certificate.failure or certificate.status
    fix = FIXES.get(reason, "look at the certificate in ACM's console, and request it again")
    return Blocked(Problem("certificate-failed", f"{certificate.status} ({reason})", certificate.arn, fix))


def _verdict(facts: CertificateFacts, validation: Validation) -> Verdict:
    name = validation.hostname
    if facts.certificate.status == ISSUED and name in facts.needed:
        return Todo(
            f"publish {facts.needed[name].change}: without it ACM can't renew the certificate", facts.needed[name]
        )
    if facts.certificate.status != PENDING or (not validation.record and facts.certificate.method == "DNS"):
        return _overall(facts)
    if facts.certificate.method != "DNS":
        fix = "request it with DNS validation"
        return Blocked(Problem("certificate-failed", "it is validated by e-mail", facts.certificate.arn, fix))
    if name in facts.problems:
        refused = facts.problems[name].code == "dns-foreign-record"
        return Unread(facts.problems[name], name in facts.passing, refused).verdict
    if name in facts.needed:
        return Todo(f"publish {facts.needed[name].change}", facts.needed[name])
    record = f"{names.normal(validation.record)} CNAME {names.normal(validation.value)}"
    if name not in facts.managed:
        return Wait(f"publish {record}", code="certificate-not-issued", fix=f"add {record} to the DNS zone")
    if validation.status == "SUCCESS":
        return Wait("validated; ACM issues it when every name is", code="certificate-not-issued")
    return Wait(
        "the record is there; ACM has not seen it yet",
        code="certificate-not-issued",
        fix=f"check that {record} is publicly visible: the registrar must list the name servers of this zone",
    )


def apply(context: CertificateContext, todos: Mapping[Subject, Todo]) -> None:
    """One batch for each zone. A name and its wildcard share a record."""
    submission.submit(context.dns, {name: todo.payload for name, todo in todos.items()})


STEP: Step[CertificateContext, CertificateFacts] = Step(
    id="certificate",
    title="The certificate is issued",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=3600.0,
    poll=10.0,
)
