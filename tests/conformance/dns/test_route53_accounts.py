"""Zones in another account: a role each, for Route 53 alone."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestrator import dns
from orchestrator.aws.environment import EnvironmentSession
from orchestrator.aws.roles import assuming
from orchestrator.dns import model
from orchestrator.dns.model import Change, DnsProvider, Record, ZonePlan
from orchestrator.dns.sending import SubmittedInPart
from orchestrator.errors import OrchestratorError
from tests.conformance.dns.worlds import LB_ZONE, NEW, OLD, change, connection, record_set

THEIRS = "222222222222"
ROLE = f"arn:aws:iam::{THEIRS}:role/dns-of-the-shop"
OURS_ZONE, THEIR_ZONE = "ours.example", "theirs.example"


def zone_of(client: Any, name: str, *, private: bool = False) -> str:
    vpc = {"VPCRegion": "us-west-2", "VPCId": "vpc-1"}
    more: dict[str, Any] = {"VPC": vpc, "HostedZoneConfig": {"PrivateZone": True}} if private else {}
    made = client.create_hosted_zone(Name=name, CallerReference=f"{name}{private}", **more)
    return str(made["HostedZone"]["Id"])


@pytest.fixture
def session(aws: Any) -> Any:
    return boto3.Session("testing", "testing", region_name="us-west-2", botocore_session=EnvironmentSession(os.environ))


@pytest.fixture
def theirs(session: Any) -> Any:
    """Route 53 as the other account's owner sees it."""
    client = assuming(session, ROLE).client("route53")
    zone_of(client, THEIR_ZONE)
    return client


@pytest.fixture
def provider(session: Any, aws: Any, theirs: Any) -> DnsProvider:
    zone_of(aws, OURS_ZONE)
    made = replace(
        connection({}),
        client=session.client,
        roles={THEIR_ZONE: ROLE},
        assumed=lambda service, role: assuming(session, role).client(service),
    )
    return dns.connect("route53", made)


def led(provider: DnsProvider, zone: str, name: str) -> ZonePlan:
    wanted = model.pointer(name, NEW, zone=zone, ttl=60, apex="A", minimum_ttl=1, target_zone=LB_ZONE)
    return model.plan(zone, provider.records(zone), [wanted], model.former_names(NEW))


def pointers(client: Any) -> set[str]:
    zones = [zone["Id"] for zone in client.list_hosted_zones()["HostedZones"]]
    sets = [one for zone in zones for one in client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]
    return {one["Name"].rstrip(".") for one in sets if one["Type"] == "CNAME"}


def test_each_zone_is_changed_in_its_own_account(provider: DnsProvider, aws: Any, theirs: Any) -> None:
    assert theirs.list_hosted_zones()["HostedZones"] != aws.list_hosted_zones()["HostedZones"]
    for zone in (OURS_ZONE, THEIR_ZONE):
        provider.check(zone)
        ticket = provider.submit(zone, led(provider, zone, f"shop.{zone}"))
        assert provider.settled(ticket) in (True, False)
        assert led(provider, zone, f"shop.{zone}").changes == ()
    assert (pointers(aws), pointers(theirs)) == ({f"shop.{OURS_ZONE}"}, {f"shop.{THEIR_ZONE}"})
    assert provider.zones() == {OURS_ZONE, THEIR_ZONE}


def test_a_refused_record_of_theirs_holds_up_no_other(provider: DnsProvider, theirs: Any) -> None:
    good = led(provider, THEIR_ZONE, f"shop.{THEIR_ZONE}")
    bad = Change(f"bad.{THEIR_ZONE}", (), (Record(f"bad.{THEIR_ZONE}", "A", ("none",), 60),))
    with pytest.raises(SubmittedInPart) as some:
        provider.submit(THEIR_ZONE, replace(good, changes=(bad, *good.changes)))
    assert set(some.value.failures) == {bad.name}
    assert pointers(theirs) == {f"shop.{THEIR_ZONE}"}
    while not provider.settled(some.value.ticket):
        connection({}).sleep(1)


def test_a_zone_below_is_looked_for_in_every_account(provider: DnsProvider, aws: Any, theirs: Any) -> None:
    """The name is given away (NS) to a zone that the stack's own account holds."""
    below = f"eu.{THEIR_ZONE}"
    zone_of(aws, below)
    assert provider.zones() >= {below, THEIR_ZONE}
    provider.submit(below, led(provider, below, f"shop.{below}"))
    assert (pointers(aws), pointers(theirs)) == ({f"shop.{below}"}, set())


def test_of_two_zones_of_one_name_the_one_whose_account_is_named_counts(
    provider: DnsProvider, aws: Any, theirs: Any
) -> None:
    """A leftover of the same name in the stack's own account, and a private one beside theirs."""
    zone_of(aws, THEIR_ZONE)
    zone_of(theirs, THEIR_ZONE, private=True)
    provider.zones()
    provider.submit(THEIR_ZONE, led(provider, THEIR_ZONE, f"shop.{THEIR_ZONE}"))
    assert (pointers(aws), pointers(theirs)) == (set(), {f"shop.{THEIR_ZONE}"})


def test_a_role_that_may_not_be_assumed_is_a_matter_of_its_zone(session: Any, aws: Any) -> None:
    zone_of(aws, OURS_ZONE)

    def denied(_service: str, role: str) -> Any:
        client = assuming(session, role).client("route53")

        def fail(**_: Any) -> None:
            words = f"User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole on resource: {role}"
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, "AssumeRole")

        client.meta.events.register("before-call.route53", fail)
        return client

    made = replace(connection({}), client=session.client, roles={THEIR_ZONE: ROLE}, assumed=denied)
    provider = dns.connect("route53", made)
    with pytest.raises(OrchestratorError) as refused:
        provider.records(THEIR_ZONE)
    [problem] = refused.value.problems
    assert (problem.code, problem.context) == ("access-denied", "sts:AssumeRole")
    change(aws, aws.list_hosted_zones()["HostedZones"][0]["Id"], "CREATE", [record_set(_old())])
    assert _old() in provider.records(OURS_ZONE)


def _old() -> Record:
    return Record(f"shop.{OURS_ZONE}", "CNAME", (OLD,), 60)
