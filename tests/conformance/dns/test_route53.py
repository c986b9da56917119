"""What is Route 53's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestrator import dns
from orchestrator.dns.model import Change, Connection, Record
from orchestrator.dns.sending import SubmittedInPart
from orchestrator.errors import Expired, Invalid, OrchestratorError, Transient
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.pace import Pace
from orchestrator.local.dns.changes import ChangeBatches
from tests.conformance.dns.worlds import OLD, ZONE, World, change, connection, record_set


def test_many_changes_are_few_batches(route53: World) -> None:
    hostnames = [f"customer-{number}.vigilon.app" for number in range(600)]
    route53.bring(*hostnames, target=OLD)
    assert route53.writes() == 1
    route53.bring(*hostnames)
    assert route53.writes() == 3, "1200 actions are two batches"


def test_is_pending_before_it_settles(route53: World, cloud: Cloud) -> None:
    slow = Pace(0.001)
    cloud.shared(ChangeBatches, cloud.pace)._pace = slow
    ticket = route53.provider.submit(ZONE, route53.plan("demo.vigilon.app"))
    assert not route53.provider.settled(ticket)
    slow.speed = 1e9
    late = route53.provider.submit(ZONE, route53.plan("customer-b.vigilon.app"))
    while not route53.provider.settled(late):
        route53.connection.sleep(1)
    assert not route53.provider.settled(f"{late} {ticket}"), "all changes of a ticket have to be there"


def test_refuses_a_batch_when_a_value_changed_meanwhile(route53: World) -> None:
    route53.bring("demo.vigilon.app", target=OLD)
    stale = route53.plan("demo.vigilon.app")
    route53.write(Record("demo.vigilon.app", "CNAME", ("somebody.example.com",), 700))
    with pytest.raises(Transient) as passing:
        route53.provider.submit(ZONE, stale)
    assert [problem.code for problem in passing.value.problems] == ["dns-records-changed"]
    assert route53.pointer_at("demo.vigilon.app").values == ("somebody.example.com",)


def test_a_conflict_that_the_next_look_does_not_show_is_none(route53: World) -> None:
    """Its words are believed once: a refusal that comes again for the same change is not somebody else's doing."""
    stale = route53.plan("demo.vigilon.app")
    route53.write(Record("demo.vigilon.app", "CNAME", ("somebody.example.com",), 700))
    kinds = []
    for _ in range(2):
        with pytest.raises(OrchestratorError) as refused:
            route53.provider.submit(ZONE, stale)
        kinds.append((type(refused.value), refused.value.problems[0].code))
    assert kinds == [(Transient, "dns-records-changed"), (OrchestratorError, "dns-record-refused")]


@pytest.mark.parametrize("refused", [1, 3])
def test_a_refused_batch_is_taken_apart_in_few_calls(route53: World, refused: int) -> None:
    """An alias at the apex whose target is not in the named zone, and addresses that are none."""
    hostnames = [f"customer-{number}.vigilon.app" for number in range(100)]
    plan = route53.plan(*hostnames)
    bad = [Change(f"bad-{n}.vigilon.app", (), (Record(f"bad-{n}.vigilon.app", "A", ("none",), 60),)) for n in "23"]
    alias = Change(ZONE, (), (Record(ZONE, "A", (OLD,), None, alias_zone="ZWRONG"),))
    wrong = [alias, *bad][:refused]
    with pytest.raises(SubmittedInPart) as some:
        route53.provider.submit(ZONE, replace(plan, changes=(*plan.changes[:50], *wrong, *plan.changes[50:])))
    assert set(some.value.failures) == {change.name for change in wrong}
    assert {error.problems[0].code for error in some.value.failures.values()} == {"dns-record-refused"}
    assert route53.plan(*hostnames).changes == ()
    assert len(some.value.ticket.split()) < 20


def test_a_zone_that_is_gone_is_said_so(aws: Any, route53: World) -> None:
    plan = route53.plan("demo.vigilon.app")
    for zone in aws.list_hosted_zones_by_name(DNSName=ZONE)["HostedZones"]:
        aws.delete_hosted_zone(Id=zone["Id"])
    with pytest.raises(Invalid) as refusal:
        route53.provider.submit(ZONE, plan)
    assert [problem.code for problem in refusal.value.problems] == ["dns-zone-not-found"]


def test_takes_the_longest_public_zone(aws: Any, route53: World) -> None:
    vpc = {"VPCRegion": "us-west-2", "VPCId": "vpc-1"}
    aws.create_hosted_zone(Name="eu.vigilon.app", CallerReference="2", VPC=vpc, HostedZoneConfig={"PrivateZone": True})
    longest = aws.create_hosted_zone(Name="eu.vigilon.app", CallerReference="3")["HostedZone"]["Id"]
    change(aws, longest, "CREATE", [record_set(Record("demo.eu.vigilon.app", "CNAME", (OLD,), 60))])
    found = route53.provider.records("demo.eu.vigilon.app")
    assert Record("demo.eu.vigilon.app", "CNAME", (OLD,), 60) in found
    assert route53.provider.records("us.vigilon.app") == route53.provider.records(ZONE)


def test_does_not_choose_between_two_zones_of_one_name(aws: Any, route53: World) -> None:
    aws.create_hosted_zone(Name=ZONE, CallerReference="2")
    with pytest.raises(Invalid) as refusal:
        route53.provider.check(ZONE)
    assert [problem.code for problem in refusal.value.problems] == ["dns-zone-ambiguous"]


def test_names_with_stars_are_read(route53: World) -> None:
    route53.write(Record(r"\052.vigilon.app", "CNAME", (OLD,), 60))
    assert route53.pointer_at("*.vigilon.app").values == (OLD,)


def test_without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    made = connection({})
    nobody: Any = boto3.Session(region_name="us-west-2")
    provider = dns.connect("route53", Connection({}, nobody.client, made.sleep, made.clock))
    with pytest.raises(Invalid) as refusal:
        provider.check(ZONE)
    assert [problem.code for problem in refusal.value.problems] == ["credentials-missing"]


@pytest.mark.parametrize(
    ("code", "kind", "problem"),
    [
        ("InvalidClientTokenId", Invalid, "credentials-rejected"),
        ("ExpiredToken", Expired, "credentials-expired"),
        ("AccessDenied", OrchestratorError, "access-denied"),
        ("Throttling", Transient, "throttled"),
        ("PriorRequestNotComplete", Transient, "throttled"),
        ("InternalFailure", Transient, "aws-unavailable"),
        ("SomethingNew", OrchestratorError, "aws-error"),
    ],
)
def test_errors_are_problems(aws: Any, code: str, kind: type[OrchestratorError], problem: str) -> None:
    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "ListHostedZonesByName")

    made = connection({})
    client = made.client("route53")
    client.meta.events.register("before-call.route53", fail)
    provider = dns.connect("route53", Connection({}, lambda _service: client, made.sleep, made.clock))
    with pytest.raises(kind) as raised:
        provider.check(ZONE)
    assert type(raised.value) is kind
    assert [found.code for found in raised.value.problems] == [problem]
