"""`orchestrate dns` on the example stack: shown, applied as shown, refused where it is somebody else's, undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.stage import Contract, Ended, Stage
from tests.local.local_cloud import Aws

pytestmark = pytest.mark.cloud

A, B = "demo.vigilon.app", "customer-b.vigilon.app"
OURS_ONCE = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
OTHERS = "shop.example.com"


def dns(stage: Stage, verb: str, *arguments: str, contract: Contract | None = None) -> Ended:
    file = stage.folder / "contract.json"
    file.write_text(json.dumps(contract or stage.contract))
    return stage.orchestrate("dns", verb, "--contract", str(file), "--poll", "0.5", "--json", *arguments)


def zone_id(stage: Stage) -> str:
    return str(stage.aws.client("route53").list_hosted_zones_by_name(DNSName="vigilon.app")["HostedZones"][0]["Id"])


def change(stage: Stage, action: str, *records: dict[str, Any]) -> None:
    if not records:
        return
    batch: Any = {"Changes": [{"Action": action, "ResourceRecordSet": record} for record in records]}
    stage.aws.client("route53").change_resource_record_sets(HostedZoneId=zone_id(stage), ChangeBatch=batch)


def raw(stage: Stage) -> list[dict[str, Any]]:
    """The zone as Route 53 shows it."""
    pages = stage.aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id(stage))
    return [record for page in pages for record in page["ResourceRecordSets"]]


def lead(stage: Stage, name: str, target: str, ttl: int = 1234) -> None:
    """Somebody writes a record past us."""
    change(stage, "UPSERT", {"Name": name, "Type": "CNAME", "TTL": ttl, "ResourceRecords": [{"Value": target}]})


@pytest.fixture
def zone(cold: Stage) -> Iterator[Stage]:
    """The zone is empty, before and after, and nothing of ours is remembered."""
    yield cold
    change(cold, "DELETE", *(record for record in raw(cold) if record["Type"] not in ("NS", "SOA")))
    (cold.work / ".orchestrate" / "dns-undo.jsonl").unlink(missing_ok=True)


def test_plan_shows_old_new_and_ttl_and_changes_nothing(zone: Stage) -> None:
    lead(zone, A, OURS_ONCE)
    before = raw(zone)
    planned = dns(zone, "plan")
    assert (planned.status, planned.last["outcome"], planned.last["changed"]) == (6, "pending", 0)
    [said] = [one["detail"] for one in planned.of("finding-reported", subject="customer-a")]
    assert all(part in said for part in (OURS_ONCE, zone.contract["load_balancer"]["dns_name"], "TTL 1234"))
    assert raw(zone) == before


def test_apply_check_undo_and_the_zone_is_what_it_was(zone: Stage) -> None:
    lead(zone, A, OURS_ONCE)
    before = raw(zone)
    assert dns(zone, "check").status == 6

    applied = dns(zone, "apply", "--auto-approve").succeeded()
    assert applied.last["changed"] == 2
    balancer = zone.contract["load_balancer"]["dns_name"].lower()
    assert {name: zone.resolve(name)[0] for name in (A, B)} == dict.fromkeys((A, B), balancer)
    dns(zone, "check").succeeded()
    assert dns(zone, "plan").status == 0
    assert dns(zone, "apply", "--auto-approve").succeeded().last["changed"] == 0

    assert dns(zone, "undo", "--auto-approve").succeeded().last["changed"] == 2
    assert raw(zone) == before
    assert dns(zone, "undo", "--auto-approve").succeeded().last["changed"] == 0


def test_nobody_to_ask_changes_nothing(zone: Stage) -> None:
    before = raw(zone)
    refused = dns(zone, "apply")
    assert (refused.status, refused.codes) == (2, {"approval-needed"})
    assert raw(zone) == before


def test_a_foreign_record_is_refused_until_it_is_adopted_and_comes_back(zone: Stage) -> None:
    lead(zone, A, OTHERS)
    before = raw(zone)
    assert dns(zone, "plan").status == 3
    refused = dns(zone, "apply", "--auto-approve")
    assert (refused.status, refused.codes) == (3, {"dns-foreign-record"})
    assert zone.records()[A] == OTHERS
    assert zone.records()[B] == zone.contract["load_balancer"]["dns_name"], "the other tenant's is made"

    assert dns(zone, "apply", "--auto-approve", "--adopt").succeeded().last["changed"] == 1
    assert zone.records()[A] == zone.contract["load_balancer"]["dns_name"]
    dns(zone, "undo", "--auto-approve").succeeded()
    assert raw(zone) == before


def test_what_route53_refuses_of_one_tenant_holds_up_no_other(zone: Stage) -> None:
    """The apex is an alias, and the contract names a wrong zone for it: Route 53 refuses the whole batch."""
    wrong = zone.changed(tenants__customer_a__hostname="vigilon.app", load_balancer__zone_id="Z0WRONG")
    refused = dns(zone, "apply", "--auto-approve", contract=wrong)
    assert (refused.status, refused.codes) == (1, {"dns-record-refused"})
    (told,) = refused.of("step-failed", subject="customer-a")
    assert "does not lie within the target zone" in told["detail"]
    assert zone.records() == {B: zone.contract["load_balancer"]["dns_name"]}
    assert refused.last["changed"] == 1
    dns(zone, "undo", "--auto-approve", contract=wrong).succeeded()
    assert zone.records() == {}


def test_undo_leaves_alone_what_somebody_changed_since(zone: Stage) -> None:
    dns(zone, "apply", "--auto-approve").succeeded()
    lead(zone, A, OTHERS)
    undone = dns(zone, "undo", "--auto-approve")
    assert (undone.status, undone.codes) == (3, {"dns-changed-since"})
    assert zone.records() == {A: OTHERS}


def test_another_stacks_load_balancer_of_our_name_is_not_taken(zone: Stage) -> None:
    """The contract is of a stack whose load balancer was replaced, and the one in DNS is alive: whose is it?"""
    elbv2 = zone.aws.client("elbv2")
    dns(zone, "apply", "--auto-approve").succeeded()
    present = elbv2.describe_load_balancers(LoadBalancerArns=[zone.contract["load_balancer"]["arn"]])
    subnets = [one["SubnetId"] for one in present["LoadBalancers"][0]["AvailabilityZones"]]
    made = elbv2.create_load_balancer(Name="onyx-prod-alb-2", Subnets=subnets)["LoadBalancers"][0]
    try:
        balancer = {"arn": made["LoadBalancerArn"], "dns_name": made["DNSName"], "zone_id": "Z1H1FL5HABSF5"}
        other = zone.changed(load_balancer=balancer)
        refused = dns(zone, "plan", contract=other)
        assert (refused.status, refused.codes) == (3, {"dns-load-balancer-alive"})
    finally:
        elbv2.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


def test_two_providers_and_three_zones_in_one_stack(zone: Stage) -> None:
    """customer-a in a delegated zone below, customer-b at Porkbun; the stack's own zone is the parent."""
    route53 = zone.aws.client("route53")
    below = route53.create_hosted_zone(Name="eu.vigilon.app", CallerReference="eu")
    servers = [{"Value": server} for server in below["DelegationSet"]["NameServers"]]
    change(zone, "UPSERT", {"Name": "eu.vigilon.app", "Type": "NS", "TTL": 60, "ResourceRecords": servers})
    at_porkbun = {"provider": "porkbun", "zone": "porkbun.example", "ttl": 600}
    several = zone.changed(
        tenants__customer_a__hostname="a.eu.vigilon.app",
        tenants__customer_b__hostname="b.porkbun.example",
        tenants__customer_b__dns=at_porkbun,
    )
    assert dns(zone, "apply", "--auto-approve", contract=several).succeeded().last["changed"] == 2
    found = route53.list_resource_record_sets(HostedZoneId=below["HostedZone"]["Id"])["ResourceRecordSets"]
    assert "a.eu.vigilon.app." in {record["Name"] for record in found}
    balancer = zone.contract["load_balancer"]["dns_name"].lower()
    assert [zone.resolve(name)[0] for name in ("a.eu.vigilon.app", "b.porkbun.example")] == [balancer, balancer]

    assert dns(zone, "undo", "--auto-approve", contract=several).succeeded().last["changed"] == 2
    route53.delete_hosted_zone(Id=below["HostedZone"]["Id"])

    outside = zone.changed(tenants__customer_a__hostname="a.eu.vigilon.app")
    blocked = dns(zone, "plan", contract=outside)
    assert "dns-name-delegated" in blocked.codes
    change(zone, "DELETE", {"Name": "eu.vigilon.app", "Type": "NS", "TTL": 60, "ResourceRecords": servers})


def test_a_zone_of_another_account_is_entered_by_its_role(zone: Stage) -> None:
    role, name = "arn:aws:iam::210987654321:role/dns", "b.elsewhere.example"
    keys = zone.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="theirs")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-west-2")
    theirs = Aws(session, zone.aws.endpoint).client("route53")
    made = theirs.create_hosted_zone(Name="elsewhere.example", CallerReference="theirs")["HostedZone"]["Id"]
    place = {"provider": "route53", "zone": "elsewhere.example"}
    moved = {"tenants__customer_b__hostname": name, "tenants__customer_b__dns": place}

    def found() -> set[str]:
        records = theirs.list_resource_record_sets(HostedZoneId=made)["ResourceRecordSets"]
        return {record["Name"] for record in records if record["Type"] not in ("NS", "SOA")}

    blind = dns(zone, "apply", "--auto-approve", contract=zone.changed(**moved))
    assert blind.status != 0
    assert found() == set()
    place["role_arn"] = role
    named = zone.changed(**moved)
    dns(zone, "apply", "--auto-approve", contract=named).succeeded()
    assert found() == {f"{name}."}
    assert zone.records().keys() == {A}, "nothing of it in the run's own account"
    dns(zone, "undo", "--auto-approve", contract=named).succeeded()
    assert found() == set()
    theirs.delete_hosted_zone(Id=made)


def test_three_hundred_hostnames_are_at_most_ten_batches(zone: Stage) -> None:
    many = zone.changed()
    model = many["tenants"].pop("customer-b")
    for number in range(300):
        unique = {key: f"{model[key]}-{number}" for key in ("service", "target_group_arn", "log_group")}
        names = dict.fromkeys(("database", "role"), f"onyx_{number}")
        many["tenants"][f"t{number}"] = model | unique | names | {"hostname": f"t{number}.vigilon.app"}
    for target in (None, OURS_ONCE):
        if target:
            for number in range(0, 300, 100):
                lead(zone, f"t{number}.vigilon.app", target)
        zone.recorder.forget()
        dns(zone, "apply", "--auto-approve", contract=many).succeeded()
        assert 1 <= zone.recorder.calls.count("route53:ChangeResourceRecordSets") <= 10


def test_the_record_is_private(zone: Stage) -> None:
    dns(zone, "apply", "--auto-approve").succeeded()
    kept: Path = zone.work / ".orchestrate" / "dns-undo.jsonl"
    assert kept.stat().st_mode & 0o777 == 0o600
