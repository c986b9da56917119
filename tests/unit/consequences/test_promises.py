"""What is promised happens: an outage has an end where somebody ends it, and what is to be made anew has a maker."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from orchestrator import consequences
from orchestrator.consequences import Consequence
from tests.documents import reading

BALANCER, SERVER = "load-balancer-replaced", "database-replaced"


def told(name: str, dns: Any) -> dict[str, Any]:
    """The plan, of a stack whose contract says this of DNS."""
    plan = copy.deepcopy(dict(reading.plan(name)))
    plan["prior_state"]["values"]["outputs"]["orchestrator"]["value"]["dns"] = dns
    return plan


def silent(name: str) -> dict[str, Any]:
    """The plan, of a stack that says nothing of itself."""
    plan = copy.deepcopy(dict(reading.plan(name)))
    plan["prior_state"]["values"]["outputs"] = {}
    return plan | {"output_changes": {}}


def one(plan: dict[str, Any], code: str, contract: dict[str, Any] | None = None) -> Consequence:
    return next(it for it in consequences.of_plan(plan, contract) if it.code == code)


def work(plan: dict[str, Any], contract: dict[str, Any] | None = None) -> str:
    found = [it.says for it in consequences.of_plan(plan, contract) if it.code == "work-afterwards"]
    return found[0] if found else ""


def test_where_a_provider_of_the_contract_holds_the_records_the_outage_has_an_end() -> None:
    found = one(told(BALANCER, {"provider": "porkbun", "zone": "vigilon.app"}), BALANCER)
    assert found.seconds
    assert "switches the DNS records" in found.then


@pytest.mark.parametrize("plan", [told(BALANCER, None), silent(BALANCER)], ids=["no dns in it", "no contract"])
def test_where_nobody_is_known_to_hold_them_none_is_promised(plan: dict[str, Any]) -> None:
    found = one(plan, BALANCER)
    assert found.seconds is None
    assert "until their DNS records point to it" in found.says
    assert "by hand" in found.then


def test_records_that_no_provider_of_the_contract_holds_are_no_work_of_ours() -> None:
    assert "DNS record" not in work(told(BALANCER, None))
    assert "2 DNS records" in work(told(BALANCER, {"provider": "porkbun", "zone": "vigilon.app"}))


def test_of_one_name_that_nobody_leads_the_outage_has_no_end() -> None:
    """The tenant's own provider is one."""
    plan = told(BALANCER, None)
    tenants = plan["prior_state"]["values"]["outputs"]["orchestrator"]["value"]["tenants"]
    first, second = sorted(tenants)
    tenants[first]["dns"] = {"provider": "route53", "zone": "vigilon.app"}
    found = one(plan, BALANCER)
    assert found.seconds is None
    assert tenants[second]["hostname"] in found.then
    assert tenants[first]["hostname"] not in found.then


def test_what_terraform_leads_needs_no_provider() -> None:
    plan = told(BALANCER, None)
    tenants = plan["prior_state"]["values"]["outputs"]["orchestrator"]["value"]["tenants"]
    for number, tenant in enumerate(tenants.values()):
        record = {
            "address": f"aws_route53_record.site[{number}]",
            "mode": "managed",
            "type": "aws_route53_record",
            "name": "site",
            "values": {"fqdn": tenant["hostname"].upper() + ".", "type": "CNAME", "records": ["alb"]},
        }
        plan["prior_state"]["values"]["root_module"].setdefault("resources", []).append(record)
    assert one(plan, BALANCER).seconds


def test_databases_are_made_anew_of_a_stack_that_is_looked_after() -> None:
    found = one(dict(reading.plan(SERVER)), "database-server-replaced")
    assert found.seconds
    assert "orchestrate apply creates empty databases" in found.then


def test_of_a_stack_that_nobody_described_nothing_is_made_anew() -> None:
    found = one(silent(SERVER), "database-server-replaced")
    assert found.seconds is None
    assert "whoever created them" in found.then


def test_of_two_services_of_which_one_has_a_database_one_is_counted() -> None:
    """A service of web alone has none."""
    tenants = {
        "north": {"database": "onyx_north", "service": "customer-a-prod-service"},
        "web": {"service": "customer-b-prod-service"},
    }
    assert "1 database" in work(silent(SERVER), {"tenants": tenants})


RENAMED = "hostname-changed"


def test_a_new_name_gets_its_record_where_somebody_holds_it() -> None:
    said = one(told(RENAMED, {"provider": "porkbun", "zone": "vigilon.app"}), RENAMED).then
    assert said.startswith("orchestrate apply creates the new name's record; ")


@pytest.mark.parametrize("plan", [told(RENAMED, None), silent(RENAMED)], ids=["no dns in it", "no contract"])
def test_a_new_name_of_which_nobody_holds_the_record_gets_none(plan: dict[str, Any]) -> None:
    said = one(plan, RENAMED).then
    assert said.startswith("nobody that is known creates the new name's record: point it to the load balancer by hand")
    assert "the certificate must cover it" in said


def test_a_new_name_whose_record_terraform_makes_needs_no_provider() -> None:
    plan = told(RENAMED, None)
    rule = next(it for it in plan["resource_changes"] if it["type"] == "aws_lb_listener_rule" and it["change"]["after"])
    (name,) = rule["change"]["after"]["condition"][0]["host_header"][0]["values"]
    after = {"fqdn": f"{name}.", "type": "CNAME", "records": ["alb"]}
    change = {"actions": ["create"], "before": None, "after": after, "after_unknown": {}}
    record = {"address": "aws_route53_record.site", "mode": "managed", "type": "aws_route53_record", "name": "site"}
    plan["resource_changes"] = [*plan["resource_changes"], {**record, "change": change}]
    assert one(plan, RENAMED).then.startswith("Terraform has the new name's record; ")
