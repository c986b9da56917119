"""The contract: what is accepted, and every defect with its place, all at once."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestrator.errors import Invalid
from orchestrator.stack import contract, encoding, names

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:x"


def tenant(name: str) -> dict[str, Any]:
    return {
        "database": f"onyx_{name}",
        "role": f"onyx_{name}",
        "secret_arn": ARN,
        "service": f"{name}-service",
        "hostname": f"{name}.vigilon.app",
        "target_group_arn": f"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/{name}/1",
        "log_group": f"/ecs/{name}",
    }


def good() -> dict[str, Any]:
    return {
        "schema": 1,
        "stack": "onyx-prod",
        "account_id": "123456789012",
        "region": "us-west-2",
        "cluster": "onyx-prod-cluster",
        "database": {
            "instance": "onyx-prod-postgres",
            "host": "onyx-prod-postgres.c1.us-west-2.rds.amazonaws.com",
            "port": 5432,
            "admin_user": "onyx_root",
            "admin_secret_arn": ARN,
        },
        "runner": {"instance_id": "i-0123456789abcdef0"},
        "load_balancer": {
            "arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/x/1",
            "dns_name": "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com",
            "zone_id": "Z1H1FL5HABSF5",
        },
        "dns": {"provider": "route53", "zone": "vigilon.app", "ttl": 60},
        "tenants": {"a": tenant("a"), "b": tenant("b")},
    }


def test_a_good_contract() -> None:
    stack = contract.parse(good(), "test")
    assert stack.tenants["a"].database == "onyx_a"
    assert stack.redis is None
    assert [(one.subject, one.name) for one in stack.services.values()] == [("a", "a-service"), ("b", "b-service")]


def test_a_tenant_may_have_services_without_a_load_balancer() -> None:
    said = good()
    workers = {"background": {"service": "a-background"}, "beat": {"service": "a-beat", "log_group": "/ecs/beat"}}
    said["tenants"]["a"]["workers"] = workers
    said["tenants"]["b"] |= {"cluster": "other", "workers": {"background": {"service": "a-background"}}}
    stack = contract.parse(said, "test")
    assert [(one.subject, one.tenant, one.name, one.log_group) for one in stack.services.values()] == [
        ("a", "a", "a-service", "/ecs/a"),
        ("a/background", "a", "a-background", "/ecs/a"),
        ("a/beat", "a", "a-beat", "/ecs/beat"),
        ("b", "b", "other/b-service", "/ecs/b"),
        ("b/background", "b", "other/a-background", "/ecs/b"),
    ]
    assert stack.services["a/background"].target_group_arn == ""
    assert stack.subjects_of(["b"]) == ("b", "b/background")
    assert stack.service_part("b/background")[1] == "other/a-background"


def test_a_service_is_one_tenants_also_where_no_load_balancer_leads_to_it() -> None:
    said = good()
    said["tenants"]["a"]["workers"] = {"background": {"service": "b-service"}}
    with pytest.raises(Invalid) as refused:
        contract.parse(said, "test")
    (problem,) = refused.value.problems
    assert (problem.code, problem.message) == (
        "contract-duplicate-service",
        "b-service is used by 2 tenants: a/background, b",
    )


SERVICE_OF_A = "arn:aws:ecs:us-west-2:123456789012:service/onyx-prod-cluster/a-service"
Defect = Callable[[dict[str, Any]], Any]
DEFECTS: list[tuple[str, str, Defect]] = [
    ("contract-key-missing", "cluster", lambda it: it.pop("cluster")),
    ("contract-key-missing", "tenants.a.secret_arn", lambda it: it["tenants"]["a"].pop("secret_arn")),
    ("contract-key-unknown", "databse", lambda it: it.update(databse={})),
    ("contract-value-invalid", "account_id", lambda it: it.update(account_id="12345")),
    ("contract-value-invalid", "database.host", lambda it: it["database"].update(host="db.example.com:5432")),
    ("contract-value-invalid", "database", lambda it: it["database"].update(instance=None)),
    ("contract-value-invalid", "database", lambda it: it["database"].update(cluster="onyx-prod")),
    ("contract-value-invalid", "database.port", lambda it: it["database"].update(port=0)),
    ("contract-value-invalid", "database.port", lambda it: it["database"].update(port="5432")),
    ("contract-value-invalid", "runner.instance_id", lambda it: it["runner"].update(instance_id="vespa")),
    ("contract-value-invalid", "tenants.a.secret_arn", lambda it: it["tenants"]["a"].update(secret_arn="hunter2")),
    ("contract-value-invalid", "tenants.a.hostname", lambda it: it["tenants"]["a"].update(hostname="demo vigilon")),
    ("contract-value-invalid", "tenants", lambda it: it.update(tenants={})),
    ("contract-schema-unknown", "schema", lambda it: it.update(schema=2)),
    ("contract-schema-unknown", "schema", lambda it: it.pop("schema")),
    ("contract-duplicate-database", "tenants.*.database", lambda it: it["tenants"]["b"].update(database="onyx_a")),
    ("contract-duplicate-hostname", "hostname", lambda it: it["tenants"]["b"].update(hostname="a.vigilon.app")),
    ("contract-duplicate-role", "tenants.*.role", lambda it: it["tenants"]["b"].update(role="onyx_a")),
    ("contract-holds-password", "database.admin_password", lambda it: it["database"].update(admin_password="hunter2")),
    ("contract-holds-password", "tenants.a.password", lambda it: it["tenants"]["a"].update(password=None)),
    ("contract-value-invalid", "tenants.a.role", lambda it: it["tenants"]["a"].update(role="pg_monitor")),
    ("contract-duplicate-service", "tenants.*.service", lambda it: it["tenants"]["b"].update(service="a-service")),
    ("contract-duplicate-service", "tenants.*.service", lambda it: it["tenants"]["b"].update(service=SERVICE_OF_A)),
    ("contract-value-invalid", "tenants.a.role", lambda it: it["tenants"]["a"].update(role="public")),
    ("contract-value-invalid", "tenants.a.role", lambda it: it["tenants"]["a"].update(role="none")),
    ("contract-value-invalid", "tenants.a.role", lambda it: it["tenants"]["a"].update(role="rds_superuser")),
]


@pytest.mark.parametrize(("code", "place", "defect"), DEFECTS)
def test_a_defect_has_its_code_and_its_place(code: str, place: str, defect: Defect) -> None:
    document = good()
    defect(document)
    with pytest.raises(Invalid) as caught:
        contract.parse(document, "test")
    (problem,) = caught.value.problems
    assert problem.code == code
    assert place in problem.context
    assert problem.fix


def test_a_stack_unlike_ours() -> None:
    """No runner, no secrets, no log groups; everybody is the admin, whose name is PostgreSQL's own."""
    document = good()
    document["runner"] = None
    document["database"].update(admin_user="postgres", admin_secret_arn=None)
    for tenant_ in document["tenants"].values():
        tenant_.update(role="postgres", secret_arn=None, log_group=None)
    stack = contract.parse(document, "test")
    assert {one.role for one in stack.tenants.values()} == {"postgres"}
    assert list(contract.passwords_of(stack)) == []


def test_a_password_in_memory_is_in_nothing_that_is_written() -> None:
    stack = contract.parse(good(), "test")
    known = stack.database.model_copy(update={"admin_password": SecretStr("hunter2")})
    stack = stack.model_copy(update={"database": known})
    assert list(contract.passwords_of(stack)) == ["hunter2"]
    assert "hunter2" not in repr(stack) + str(stack) + stack.model_dump_json() + str(stack.model_dump())
    assert "admin_password" not in stack.model_dump_json()


def test_what_is_printed_beside_a_contract_is_passed_over() -> None:
    printed = good() | {encoding.PROVENANCE: {"cluster": "aws_ecs_cluster.main"}}
    assert encoding.decode(json.dumps(printed), "test").cluster == "onyx-prod-cluster"


BAD_NAMES = [
    "",
    "x" * 64,
    "ä" * 32,
    "a\0b",
    'a"b',
    "a'b",
    "a; DROP DATABASE postgres",
    "A",
    "9a",
    "postgres",
    "pg_x",
    "a b",
]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("key", ["database", "role"])
def test_a_name_that_postgresql_would_change_or_misread_is_refused(name: str, key: str) -> None:
    document = good()
    document["tenants"]["a"][key] = name
    with pytest.raises(Invalid) as caught:
        contract.parse(document, "test")
    assert [problem.context for problem in caught.value.problems] == [f"test: tenants.a.{key}"]


@pytest.mark.parametrize("name", ["x" * 63, "onyx_customer_a", "_", "a-b"])
def test_a_name_that_postgresql_keeps_is_accepted(name: str) -> None:
    assert names.identifier(name) == name


def test_all_defects_are_reported_at_once_and_no_value_is_shown() -> None:
    document = good()
    document["account_id"] = "no"
    document["tenants"]["a"]["secret_arn"] = "hunter2"
    document["tenants"]["b"]["database"] = "a;b"
    del document["cluster"]
    with pytest.raises(Invalid) as caught:
        contract.parse(document, "test")
    assert len(caught.value.problems) == 4
    assert "hunter2" not in str(caught.value)


def packed(document: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()


@pytest.mark.parametrize("form", [json.dumps, packed])
def test_every_form_is_read(form: Callable[[Any], str]) -> None:
    assert encoding.decode(form(good()), "test").stack == "onyx-prod"
    whole = {"orchestrator": {"value": good(), "sensitive": False}, "alb_dns_name": {"value": "x"}}
    assert encoding.decode(form(whole), "test").stack == "onyx-prod"


def test_of_a_terraform_state_only_the_output_is_read() -> None:
    state = {"version": 4, "terraform_version": "1.11.4", "serial": 3, "outputs": {}, "resources": [{"a": 1}]}
    told = {**state, "outputs": {"orchestrator": {"value": good(), "type": "dynamic", "sensitive": True}}}
    assert encoding.decode(json.dumps(told), "test").stack == "onyx-prod"
    with pytest.raises(Invalid) as caught:
        encoding.decode(json.dumps(state), "test")
    assert [one.code for one in caught.value.problems] == ["state-without-contract"]


@pytest.mark.parametrize("text", ["", "no", "{", "[1]", "H4sI", base64.b64encode(b"no gzip").decode(), "[" * 100_000])
def test_text_that_is_no_contract_is_one_clear_error(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        encoding.decode(text, "test")
    assert len(caught.value.problems) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_it_is_accepted_or_named(data: st.DataObject) -> None:
    document = copy.deepcopy(good())
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(JSON)
        break
    try:
        contract.parse(document, "test")
    except Invalid as error:
        assert all(problem.code and problem.context and problem.fix for problem in error.problems)  # noqa: PT017


BALANCER = {
    "arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/b/2",
    "dns_name": "b-2.us-west-2.elb.amazonaws.com",
    "zone_id": "Z2",
}
CERTIFICATE = {"arn": "arn:aws:acm:us-west-2:123456789012:certificate/b"}


def test_a_tenant_knows_its_own_cluster_load_balancer_and_certificate() -> None:
    document = good()
    document["tenants"]["b"] |= {"cluster": "onyx-b", "load_balancer": BALANCER, "certificate": CERTIFICATE}
    stack = contract.parse(document, "test")
    assert [one.dns_name for one in stack.balancers] == [stack.load_balancer.dns_name, BALANCER["dns_name"]]
    assert (stack.balancer_of("a"), stack.balancer_of("b").zone_id) == (stack.load_balancer, "Z2")
    assert stack.clusters == (stack.cluster, "onyx-b")
    assert stack.service_part("b")[1] == f"onyx-b/{stack.tenants['b'].service}"
    assert (stack.tenants["a"].service_id, stack.tenants["b"].service_id) == ("a-service", "onyx-b/b-service")
    assert CERTIFICATE["arn"] in stack.certificates


def test_of_a_load_balancer_of_its_own_the_stacks_certificate_is_not_claimed() -> None:
    document = good() | {"certificate": {"arn": CERTIFICATE["arn"] + "1"}}
    document["tenants"]["b"]["load_balancer"] = BALANCER
    stack = contract.parse(document, "test")
    assert (stack.certificate_of("a"), stack.certificate_of("b")) == (stack.certificate, None)


@pytest.mark.parametrize(("cluster", "code"), [("onyx-b", ""), ("", "contract-duplicate-service")])
def test_services_of_one_name_need_clusters_of_their_own(cluster: str, code: str) -> None:
    document = good()
    document["tenants"]["b"] |= {"service": "a-service", "cluster": cluster or document["cluster"]}
    try:
        contract.parse(document, "test")
        found = ""
    except Invalid as error:
        found = error.problems[0].code
    assert found == code


def test_a_tenant_names_its_indexes_by_kind_beside_those_of_the_old_form() -> None:
    node = {"instance_id": "i-0b", "host": "10.0.0.6", "secret_arn": ARN}
    said = good()
    said["vespa"] = {"a": {"instance_id": "i-0a", "host": "10.0.0.5"}}
    said["tenants"]["a"]["index"] = {"opensearch": node}
    found = contract.parse(said, "x").indexes
    assert [(one.word, one.server.instance_id, one.server.port) for one in found] == [
        ("vespa:a", "i-0a", 8081),
        ("opensearch:a", "i-0b", 9200),
    ]
    said["tenants"]["a"]["index"]["vespa"] = {"instance_id": "i-0c", "host": "10.0.0.7"}
    with pytest.raises(Invalid) as raised:
        contract.parse(said, "x")
    assert [(one.code, one.context) for one in raised.value.problems] == [
        ("contract-index-twice", "x: tenants.a.index.vespa")
    ]
