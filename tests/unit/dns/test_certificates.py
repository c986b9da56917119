"""`orchestrate certificate`'s decisions, and its step against zones in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.aws.acm import ISSUED, PENDING, AcmCertificate, Validation
from orchestrator.dns import certificates
from orchestrator.dns.certificates import STEP, CertificateContext, Request
from orchestrator.dns.model import DnsProvider, Record, ZonePlan
from orchestrator.engine.step import Blocked, Done, Todo, Verdicts, Wait
from orchestrator.errors import Invalid
from orchestrator.stack.contract import Dns

ARN = "arn:aws:acm:us-west-2:123456789012:certificate/1"
VALUE = "_c9.ykybfrwcxw.acm-validations.aws."
NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
SOON = datetime(2026, 10, 10, tzinfo=UTC)
A, B = "demo.vigilon.app", "customer-b.vigilon.app"


def waiting(hostname: str, status: str = PENDING) -> Validation:
    return Validation(hostname, status, f"_d9.{hostname.removeprefix('*.')}.", VALUE)


@dataclass
class Zone:
    held: frozenset[Record] = frozenset()
    submitted: list[ZonePlan] = field(default_factory=list)
    name: str = "memory"
    apex: str = "ALIAS"
    minimum_ttl: int = 600

    def zones(self) -> frozenset[str]:
        return frozenset({"vigilon.app"})

    def check(self, zone: str) -> None:
        raise NotImplementedError

    def records(self, zone: str) -> frozenset[Record]:
        assert zone == "vigilon.app"
        return self.held

    def submit(self, zone: str, plan: ZonePlan) -> str:
        self.submitted.append(plan)
        for change in plan.changes:
            assert set(change.before) <= self.held
            self.held = (self.held - set(change.before)) | set(change.after)
        return ""

    def settled(self, ticket: str) -> bool:
        return ticket == ""


@dataclass
class Acm:
    said: AcmCertificate

    def certificate(self, arn: str) -> AcmCertificate:
        assert arn == ARN
        return self.said


def context(zone: Zone, *validations: Validation, dns: bool = True, **said: Any) -> CertificateContext:
    def connect(name: str) -> DnsProvider:
        assert name == "memory"
        return zone

    request = Request(arn=ARN, region="us-west-2", dns=Dns(provider="memory", zone="vigilon.app") if dns else None)
    made = AcmCertificate(**{"arn": ARN, "status": PENDING, "validations": validations} | said)
    return CertificateContext(request, Acm(made), connect, lambda: NOW)


def verdicts(context: CertificateContext) -> Verdicts:
    return STEP.decide(STEP.observe(context))


def settle(context: CertificateContext) -> Verdicts:
    todos = {name: verdict for name, verdict in verdicts(context).items() if isinstance(verdict, Todo)}
    if todos:
        STEP.apply(context, todos)
    return verdicts(context)


def test_the_records_are_published_in_one_batch_and_then_left() -> None:
    zone = Zone()
    made = context(zone, waiting(A), waiting(B))
    assert {type(verdict) for verdict in settle(made).values()} == {Wait}
    assert {(record.name, record.type, record.values, record.ttl) for record in zone.held} == {
        (f"_d9.{name}", "CNAME", (VALUE.rstrip("."),), 600) for name in (A, B)
    }
    settle(made)
    assert len(zone.submitted) == 1


def test_a_name_and_its_wildcard_share_a_record() -> None:
    zone = Zone()
    settle(context(zone, waiting(A), waiting(f"*.{A}")))
    [plan] = zone.submitted
    assert len(plan.changes) == 1


def test_records_that_are_gone_when_it_is_to_be_renewed_are_published_again() -> None:
    zone = Zone()
    made = context(zone, waiting(A, "SUCCESS"), status=ISSUED, not_after=SOON)
    [before] = verdicts(made).values()
    assert isinstance(before, Todo)
    assert "ACM can't renew" in before.change
    assert settle(made) == {A: Done("issued, valid until 2026-10-10")}
    assert {record.name for record in zone.held} == {f"_d9.{A}"}


def test_an_issued_certificate_is_issued_whatever_stands_where_its_record_was() -> None:
    foreign = Record(f"_d9.{A}", "CNAME", ("elsewhere.example",), 300)
    made = context(Zone(frozenset({foreign})), waiting(A, "SUCCESS"), status=ISSUED, not_after=SOON)
    assert settle(made) == {A: Done("issued, valid until 2026-10-10; whether ACM can renew it was not seen")}


def test_when_it_is_issued_nobody_is_asked_and_nothing_done() -> None:
    issued = {"status": ISSUED, "not_after": datetime(2027, 1, 2, tzinfo=UTC)}
    made = replace(context(Zone(), waiting(A, "SUCCESS"), **issued), dns=None)  # type: ignore[arg-type]
    assert verdicts(made) == {A: Done("issued, valid until 2027-01-02")}


def test_another_accounts_validation_gives_way_but_nothing_else_does() -> None:
    zone = Zone(frozenset({Record(f"_d9.{A}", "CNAME", ("_old.acm-validations.aws",), 600)}))
    assert isinstance(settle(context(zone, waiting(A)))[A], Wait)
    zone = Zone(frozenset({Record(f"_d9.{A}", "CNAME", ("shop.example.com",), 600)}))
    refusal = settle(context(zone, waiting(A)))[A]
    assert isinstance(refusal, Blocked)
    assert (refusal.refused, refusal.problem.code) == (True, "dns-foreign-record")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"status": "FAILED", "failure": "CAA_ERROR"}, "CAA"),
        ({"status": "VALIDATION_TIMED_OUT"}, "72 hours"),
        ({"status": "REVOKED"}, "console"),
        ({"method": "EMAIL"}, "DNS validation"),
    ],
)
def test_what_will_not_become_true_is_said(said: dict[str, Any], words: str) -> None:
    verdict = verdicts(context(Zone(), waiting(A), **said))[A]
    assert isinstance(verdict, Blocked)
    assert verdict.problem.code == "certificate-failed"
    assert words in verdict.problem.fix


def test_a_record_that_acm_has_not_made_yet_is_waited_for() -> None:
    assert isinstance(verdicts(context(Zone(), Validation(A, "")))[A], Wait)
    assert isinstance(verdicts(context(Zone()))[""], Wait)


def test_without_dns_of_ours_the_record_is_named() -> None:
    verdict = verdicts(context(Zone(), waiting(A), dns=False))[A]
    assert isinstance(verdict, Wait)
    assert f"_d9.{A} CNAME _c9.ykybfrwcxw.acm-validations.aws" in verdict.because


def test_a_name_in_no_zone_of_ours_stops_no_other() -> None:
    zone = Zone()
    seen = settle(context(zone, waiting(A), waiting("demo.example.net")))
    assert isinstance(seen[A], Wait)
    blocked = seen["demo.example.net"]
    assert isinstance(blocked, Blocked)
    assert blocked.problem.code == "dns-hostname-outside-zone"
    assert {record.name for record in zone.held} == {f"_d9.{A}"}


def test_a_wrong_request_is_named_without_its_values() -> None:
    with pytest.raises(Invalid, match="wrong: arn, region") as refusal:
        certificates.request_from('{"arn": "not-an-arn"}')
    assert "not-an-arn" not in str(refusal.value)
    with pytest.raises(Invalid, match="JSON"):
        certificates.request_from("{")
