"""Records and zones at any provider, and proxies: it is told where a site goes dark, and only there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from orchestrator import consequences
from tests.states import document
from tests.states.parts import BALANCER, Part, container, definition, listener, part, record, rule, state
from tests.states.shapes_of_databases import PROXY
from tests.unit.preflight.test_foreign_states import as_plan

HOST = "shop.example.com"
GONE, AGAIN = ("delete",), ("delete", "create")
A, SIX = "aws_route53_record.site", "aws_route53_record.six"
CLOUDFLARE = part("cloudflare_record.c", hostname=HOST, type="CNAME", value=BALANCER)
WILDCARD = record("aws_route53_record.all", fqdn="*.example.com")
ELSEWHERE = record("aws_route53_record.all", fqdn="*.example.com", alias=[{"name": "other.example.net"}])
TEXT = record("aws_route53_record.text", fqdn=HOST, type="TXT", alias=[], records=["v=spf1 -all"])
PRIVATE = part("aws_route53_zone.inside", name="shop.internal", zone_id="ZP", vpc=[{"vpc_id": "vpc-1"}])


def planned(whole: Any, does: Mapping[str, Sequence[str]]) -> Any:
    """The plan that does this to these addresses."""
    plan = as_plan(whole)
    assert does.keys() <= {one["address"] for one in plan["resource_changes"]}
    for one in plan["resource_changes"]:
        if one["address"] in does:
            one["change"] |= {"actions": list(does[one["address"]])}
            one["change"]["after"] = None if "create" not in does[one["address"]] else one["change"]["before"]
    return plan


def stack(*records: Part) -> Any:
    return state(record=list(records), listener=listener(""), more=rule("web", HOST), definition=definition())


REMOVED = "dns-record-removed"
CASES: Mapping[str, tuple[Any, list[tuple[str, str, int | None]]]] = {
    "at Route 53": (planned(stack(record()), {A: GONE}), [(REMOVED, "outage", None)]),
    "at Cloudflare": (planned(stack(CLOUDFLARE), {CLOUDFLARE["address"]: GONE}), [(REMOVED, "outage", None)]),
    "made anew": (planned(stack(CLOUDFLARE), {CLOUDFLARE["address"]: AGAIN}), [(REMOVED, "disturbance", 60)]),
    "of two families one": (planned(stack(record(), record(SIX, type="AAAA")), {SIX: GONE}), []),
    "of two families both": (
        planned(stack(record(), record(SIX, type="AAAA")), {A: GONE, SIX: GONE}),
        [(REMOVED, "outage", None)],
    ),
    "a text beside it": (planned(stack(record(), TEXT), {TEXT["address"]: GONE}), []),
    "a wildcard leads there too": (planned(stack(record(), WILDCARD), {A: GONE}), []),
    "a wildcard leads elsewhere": (planned(stack(record(), ELSEWHERE), {A: GONE}), [(REMOVED, "outage", None)]),
    "the wildcard, which only others need": (planned(stack(record(), ELSEWHERE), {ELSEWHERE["address"]: GONE}), []),
    "the wildcard that it lives by": (
        planned(stack(WILDCARD), {WILDCARD["address"]: GONE}),
        [(REMOVED, "outage", None)],
    ),
    "another provider's zone": (
        planned(stack(CLOUDFLARE, part("cloudflare_zone.z", id="z", zone="example.com")), {"cloudflare_zone.z": GONE}),
        [("zone-lost", "loss", None)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_it_leads_to(case: str) -> None:
    plan, expected = CASES[case]
    assert [(one.code, str(one.effect), one.seconds) for one in consequences.of_plan(plan)] == expected


def test_of_a_private_zone_no_registrar_is_told() -> None:
    (lost,) = consequences.of_plan(planned(stack(record(), PRIVATE), {PRIVATE["address"]: GONE}))
    assert "private" in lost.says
    assert "registrar" not in lost.then


@pytest.mark.parametrize(("does", "seconds"), [(GONE, None), (AGAIN, 600)])
def test_a_proxy_is_missed_by_those_who_connect_through_it(does: Sequence[str], seconds: int | None) -> None:
    address = "module.proxy.aws_db_proxy.this[0]"
    plan = planned(document("proxy-of-an-aurora-in-capitals", "state"), {address: does})
    known = {
        "database": {"cluster": "shop-au", "aliases": [PROXY]},
        "tenants": {"web": {"service": "web", "database": "shop"}},
    }
    (missed,) = consequences.of_plan(plan, known)
    assert (missed.effect.value, missed.seconds, missed.subject) == ("outage", seconds, "")
    assert "data stay" in missed.then
    nobody = {**known, "database": {"cluster": "shop-au"}}
    assert consequences.of_plan(plan, nobody) == ()


def test_a_container_that_names_the_proxy_needs_it() -> None:
    whole = document("proxy-of-an-aurora-in-capitals", "state")
    plan = planned(whole, {"module.proxy.aws_db_proxy_target.db_cluster[0]": GONE})
    held = definition(container({"POSTGRES_HOST": PROXY, "POSTGRES_DB": "shop"}))
    for one in plan["prior_state"]["values"]["root_module"]["resources"]:
        if one["address"] == held["address"]:
            one["values"] = held["values"]
    assert [one.code for one in consequences.of_plan(plan)] == ["database-proxy-destroyed"]
