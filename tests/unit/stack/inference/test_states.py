"""Stacks in the wild: taken on evidence that names it, or asked; never guessed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.errors import Invalid
from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference import Inferred, infer
from orchestrator.stack.inference.answers import matched, merged
from orchestrator.stack.inference.mapping import dotted, read
from tests.states import STATES, document
from tests.states.parts import group_arn


def understood(document_: Any, table: dict[str, Any]) -> Inferred:
    state = states.read(document_)
    return infer(state, read(table, "orchestrate.toml", outputs={}, state=state))


@pytest.mark.parametrize("name", STATES)
def test_what_is_known_and_what_is_open(name: str) -> None:
    expected = document(name, "expected")
    seen = understood(document(name, "state"), {})
    found = {dotted(key): [one.value, one.source] for key, one in seen.found.items()}
    assert {key: found.get(key) for key in expected.get("contract", {})} == expected.get("contract", {})
    asked = {dotted(one.key): one for one in seen.questions}
    assert {key: [one.label for one in question.options] for key, question in asked.items()} == {
        key: options for key, (_, *options) in expected.get("open", {}).items()
    }
    for key, (begins, *_) in expected.get("open", {}).items():
        assert asked[key].asks.startswith(begins)
        assert key not in found, "what is asked was not put in silently"
    for remark in expected.get("remarks", ()):
        assert remark in seen.remarks
    assert [[one.code, one.message] for one in seen.problems] == expected.get("problems", [])
    assert [one.asks for one in seen.cures] == expected.get("cures", [])
    assert (seen.stack is None) == bool(expected.get("open") or expected.get("problems"))


@pytest.mark.parametrize("name", STATES)
def test_no_answer_that_is_offered_is_refused_or_asked_for_again(name: str) -> None:
    known = document(name, "state")
    for question in understood(known, {}).questions:
        for option in question.options:
            seen = understood(known, merged({}, {question.key: option.answer}))
            assert not [one for one in seen.problems if one.code.startswith("mapping-")], option
            assert question not in seen.questions, option


def test_the_target_group_that_is_chosen_says_the_host_name_too() -> None:
    """A second port, for metrics, has a rule and a name of its own: no name of the site's."""
    known = document("a-second-port-for-metrics", "state")
    groups = {"web": "shop.example.com", "metrics": "metrics.example.com"}
    for name, host in groups.items():
        found = understood(known, {"tenants": {"web": {"target_group_arn": group_arn(name)}}}).found
        assert found["tenants", "web", "hostname"].value == host


def test_the_load_balancer_that_is_chosen_says_the_target_group_too() -> None:
    known = document("service-module-with-two-balancers", "state")
    for address, name in {"aws_lb.main": "pub", "module.internal_alb.aws_lb.this[0]": "int"}.items():
        found = understood(known, {"load_balancer": {"resource": address}}).found
        assert found["tenants", "web", "target_group_arn"].value == group_arn(name)


def test_which_of_two_backends_is_the_tenant_is_one_question_and_its_answer_settles_it() -> None:
    known = document("two-backends-one-host", "state")
    (question,) = understood(known, {}).questions
    answer = matched(question, "api is the tenant")
    table = merged({}, {question.key: answer})
    assert table == {"not_tenants": ["web"]}
    assert list(understood(known, table).require().tenants) == ["api"]


def test_a_service_that_is_no_tenant_must_exist() -> None:
    with pytest.raises(Invalid, match="there is no service 'jobs' to leave out") as raised:
        understood(document("two-backends-one-host", "state"), {"not_tenants": ["web", "jobs"]}).require()
    assert raised.value.problems[0].context == "orchestrate.toml: contract.not_tenants"


def test_answers_about_several_groups_of_services_add_up() -> None:
    table = merged({"not_tenants": ["web"]}, {("not_tenants",): ["jobs", "web"]})
    assert table == {"not_tenants": ["web", "jobs"]}


BASE = "alias-record-names-the-site"
BALANCER = "shop-1.eu-west-1.elb.amazonaws.com"
SERVER = "shop-db.abc.eu-west-1.rds.amazonaws.com"


def with_these(*resources: Mapping[str, Any], variables: Mapping[str, str], without: str = "") -> Any:
    """The base with other resources, other variables of the task, and without the resource of that address."""
    whole = copy.deepcopy(document(BASE, "state"))
    module = whole["values"]["root_module"]
    module["resources"] = [it for it in module["resources"] if it["address"] != without]
    for one in resources:
        module["resources"].append({"mode": "managed", "name": "x", "provider_name": "x", "schema_version": 0, **one})
    for one in module["resources"]:
        if one["type"] == "aws_ecs_task_definition":
            containers = json.loads(one["values"]["container_definitions"])
            containers[0]["environment"] = [{"name": name, "value": value} for name, value in variables.items()]
            one["values"]["container_definitions"] = json.dumps(containers)
    return whole


def resource(address: str, **values: Any) -> Mapping[str, Any]:
    return {"address": address, "type": address.split(".")[-2], "values": values}


DATABASE = {
    "POSTGRES_HOST": SERVER,
    "POSTGRES_DB": "shop",
    "POSTGRES_USER": "shop",
    "POSTGRES_PASSWORD": "not-a-secret",
}


@pytest.mark.parametrize(
    "record",
    [
        resource("aws_route53_record.a", fqdn="Shop.Example.com.", alias=[{"name": f"dualstack.{BALANCER}."}]),
        resource("aws_route53_record.c", name="shop.example.com", type="CNAME", records=[BALANCER.upper()]),
        resource("cloudflare_record.c", hostname="shop.example.com", name="shop", value=BALANCER, proxied=True),
        resource("cloudflare_dns_record.c", name="shop.example.com", content=BALANCER),
        resource("google_dns_record_set.c", name="shop.example.com.", rrdatas=[f"{BALANCER}."]),
        resource("azurerm_dns_cname_record.c", fqdn="shop.example.com.", record=BALANCER),
        resource("module.dns.digitalocean_record.c", fqdn="shop.example.com", value=f"{BALANCER}."),
        resource("ns1_record.c", domain="shop.example.com", answers=[{"answer": BALANCER}]),
    ],
    ids=lambda one: str(one["type"]),
)
def test_a_record_that_leads_to_the_load_balancer_names_the_site_whoever_keeps_it(record: Mapping[str, Any]) -> None:
    seen = understood(with_these(record, variables=DATABASE, without="aws_route53_record.site"), {})
    found = seen.found["tenants", "web", "hostname"]
    address, _, attribute = found.source.partition(": ")
    assert (found.value, address) == ("shop.example.com", record["address"])
    assert record["values"][attribute].lower().rstrip(".") == found.value
    assert "Terraform has records for every host name: DNS is left to it" in seen.remarks


def test_two_records_that_lead_there_are_a_question() -> None:
    other = resource("aws_route53_record.old", fqdn="old.example.com", records=[BALANCER])
    (question,) = understood(with_these(other, variables=DATABASE), {}).questions
    assert [one.answer for one in question.options] == ["shop.example.com", "old.example.com"]


@pytest.mark.parametrize(
    ("evidence", "host"),
    [
        (
            resource("aws_acm_certificate.a", domain_name="example.net", subject_alternative_names=["*.example.net"]),
            True,
        ),
        (resource("aws_acm_certificate.a", domain_name="SHOP.example.net"), True),
        (resource("aws_acm_certificate.a", domain_name="example.net"), False),
        (resource("aws_route53_record.cdn", fqdn="shop.example.net", records=["elsewhere.example.org"]), True),
    ],
)
def test_domain_is_the_sites_only_where_the_stack_knows_it_too(evidence: Mapping[str, Any], host: bool) -> None:
    told = with_these(evidence, variables={**DATABASE, "DOMAIN": "shop.example.net"}, without="aws_route53_record.site")
    seen = understood(told, {})
    found = seen.found.get(("tenants", "web", "hostname"))
    assert (found and (found.value, found.source)) == (
        ("shop.example.net", "aws_ecs_task_definition.web: DOMAIN") if host else None
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"POSTGRES_HOST": "shop.cluster-abc.eu-west-1.rds.amazonaws.com"},
        {"POSTGRES_HOST": "10.0.0.7"},
        {"POSTGRES_HOST": "postgres"},
        {"PGHOST": "proxy-1.proxy-abc.eu-west-1.rds.amazonaws.com:5432"},
        {"DB_HOST": "db.example.net"},
        {"DATABASE_URL": "postgres://shop:not-a-secret@db.example.net:5432/shop"},
    ],
)
def test_the_only_server_there_is_is_not_taken_where_the_task_names_another(variables: Mapping[str, str]) -> None:
    seen = understood(with_these(variables={**DATABASE, "POSTGRES_HOST": "", **variables}), {})
    assert ("database", "instance") not in seen.found
    asked = next(one for one in seen.questions if one.key == ("database",))
    assert [one.label for one in asked.options] == [f"aws_db_instance.main = {SERVER}"]
    assert "not-a-secret" not in str(asked)


def test_the_region_of_a_cluster_given_by_name_is_that_of_its_service() -> None:
    told = with_these(variables=DATABASE, without="aws_ecs_cluster.main")
    for one in told["values"]["root_module"]["resources"]:
        if one["type"] == "aws_ecs_service":
            one["values"] |= {"cluster": "shop", "id": "arn:aws:ecs:eu-west-1:111122223333:service/shop/web"}
    stack = understood(told, {}).require()
    assert (stack.cluster, stack.region, stack.account_id) == ("shop", "eu-west-1", "111122223333")


def test_a_host_name_of_orchestrate_toml_has_its_zone_as_one_of_the_state() -> None:
    zone = resource("aws_route53_zone.main", name="example.com", zone_id="Z1")
    told = with_these(zone, variables=DATABASE, without="aws_route53_record.site")
    stack = understood(told, {"tenants": {"web": {"hostname": "Shop.Example.com."}}}).require()
    assert (stack.dns and stack.dns.zone, stack.tenants["web"].hostname) == ("example.com", "shop.example.com")
