"""`orchestrate run` on the example stack: what it makes is really there, and a second run changes nothing."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
from collections.abc import Callable

import psycopg
import pytest
import urllib3

from orchestrator.workflows.parent_run import parent
from tests.e2e.stage import Contract, Stage

pytestmark = pytest.mark.cloud

HOSTNAMES = {"customer-a": "demo.vigilon.app", "customer-b": "customer-b.vigilon.app"}


@pytest.fixture(scope="module")
def made(cold: Stage) -> Stage:
    """The stack after its first run, which goes through SSM."""
    ended = cold.run().succeeded()
    assert ended.last["changed"] > 0
    assert ended.last["aws_calls"] == len(cold.recorder.calls)
    return cold


def test_databases_belong_to_their_tenants(made: Stage) -> None:
    assert made.databases() == {"onyx_customer_a": "onyx_customer_a", "onyx_customer_b": "onyx_customer_b"}
    for tenant in HOSTNAMES:
        with made.tenant_login(tenant) as session:
            owned = session.execute("SELECT count(*) FROM alembic_version").fetchone()
        assert owned == (1,), "the api container has migrated its database"


def test_one_tenants_role_cannot_enter_anothers_database(made: Stage) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        made.tenant_login("customer-a", "onyx_customer_b")


def test_roles_have_no_more_rights_than_their_databases(made: Stage) -> None:
    rights = made.query(
        "SELECT DISTINCT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname LIKE 'onyx_customer%'"
    )
    assert rights == [(False, False, False)]


def test_names_lead_to_the_load_balancer_and_answer(made: Stage) -> None:
    balancer = made.contract["load_balancer"]["dns_name"].lower()
    environment = made.cloud.env
    context = ssl.create_default_context(cafile=environment["ORCHESTRATE_CA_FILE"])
    for hostname in HOSTNAMES.values():
        target, address = made.resolve(hostname)
        assert target == balancer
        with urllib3.HTTPSConnectionPool(
            address,
            int(environment["ORCHESTRATE_SITE_PORT"]),
            server_hostname=hostname,
            assert_hostname=hostname,
            ssl_context=context,
        ) as site:
            assert site.request("GET", "/", headers={"Host": hostname}, redirect=False, timeout=10).status == 200


def test_tasks_run_as_desired(made: Stage) -> None:
    for tenant in HOSTNAMES:
        service = made.service(tenant)
        assert (service["runningCount"], service["desiredCount"]) == (1, 1)
        assert len(service["deployments"]) == 1


def test_redis_asks_for_its_token(made: Stage) -> None:
    group = made.aws.client("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    assert (group["Status"], group["AuthTokenEnabled"]) == ("available", True)


def redis_auth(made: Stage, *arguments: str) -> tuple[str, str]:
    """What one look says of Redis's token, through the runner or not: the event and its words."""
    ended = made.command("status", *arguments, "--json")
    (said,) = [one for one in ended.events if one.get("step") == "redis-auth" and one["event"] != "finding-reported"]
    return said["event"], f"{said.get('code', '')} {said['detail']}"


def test_redis_is_asked_whether_the_secrets_token_is_its_own(made: Stage) -> None:
    """AWS says that there is a token, never which: only a login proves it, and without a runner nothing does."""
    event, said = redis_auth(made)
    assert (event, "accepts its secret's token, and no connection without it" in said) == ("step-done", True), said
    event, said = redis_auth(made, "--database-transport", "direct")
    assert (event, "not proven" in said) == ("step-done", True), said
    secrets, arn = made.aws.client("secretsmanager"), made.contract["redis"]["auth_secret_arn"]
    before = made.secret(arn)
    secrets.put_secret_value(SecretId=arn, SecretString="another-token-0123456789")
    try:
        event, said = redis_auth(made)
        assert (event, "redis-token-differs" in said, "WRONGPASS" in said) == ("step-failed", True, True), said
        assert "another-token" not in said
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=before)


def test_a_second_run_changes_nothing(made: Stage) -> None:
    before, sent = made.world(), len(made.commands())
    made.recorder.forget()
    ended = made.run().succeeded()
    assert ended.last["changed"] == 0
    assert made.recorder.changes == ["ssm:SendCommand"] * 2, "it looks at the databases, and tries Redis's token"
    looks = {"orchestrate: observe tenant databases", "orchestrate: sign in to Redis"}
    assert {one["Comment"].partition(" [")[0] for one in made.commands()[-2:]} == looks
    assert made.world() == {**before, "commands": sent + 2}


def test_the_runner_is_not_needed_without_ssm(made: Stage) -> None:
    made.recorder.forget()
    ended = made.direct().succeeded()
    assert ended.last["changed"] == 0
    assert made.recorder.changes == []
    assert not any(call.startswith("ssm:") for call in made.recorder.calls)


def test_a_dropped_database_is_made_again_by_either_transport(made: Stage) -> None:
    for transport in ("direct", "ssm"):
        made.fault("missing-database", "customer-b")
        assert "onyx_customer_b" not in made.databases()
        ended = made.run("--database-transport", transport, "--only", "tenant-databases").succeeded()
        assert ended.of("step-done", "tenant-databases", "customer-b")[0]["changed"] == 1
        assert made.databases()["onyx_customer_b"] == "onyx_customer_b"
        made.tenant_login("customer-b").close()
    made.direct().succeeded()


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        (("--only", "dns-records"), {"dns-records"}),
        (("--only", "dns-records", "--only", "sites"), {"dns-records", "sites"}),
        (
            ("--skip", "tenant-databases", "--skip", "runner"),
            {"database-server", "redis-auth", "stored-data", "redeploy", "services", "dns-records", "sites"},
        ),
    ],
)
def test_only_and_skip(made: Stage, arguments: tuple[str, ...], steps: set[str]) -> None:
    ended = made.run(*arguments).succeeded()
    assert {event["step"] for event in ended.of("step-done")} == steps


def test_tenant(made: Stage) -> None:
    ended = made.direct("--tenant", "customer-b").succeeded()
    assert {event["subject"] for event in ended.events} == {"", "customer-b"}


def test_a_canary_that_fails_keeps_the_others_untouched_and_failed_goes_on_with_both(made: Stage) -> None:
    without = made.changed(tenants__customer_a__service="gone")
    ended = made.direct("--canary", "customer-a", contract=without)
    assert ("redeploy", "customer-a", "service-missing") in ended.failures
    said = ended.of("finding-reported", "run")
    assert [(one["subject"], one["code"]) for one in said] == [
        ("", "tenants-failed"),
        ("customer-b", "tenant-not-begun"),
    ]
    assert ended.of("step-done", subject="customer-b") == []

    again = made.direct("--failed", "--max-parallel", "1").succeeded()
    assert {event["subject"] for event in again.of("step-done", "services")} == {"customer-a", "customer-b"}
    assert made.direct("--failed").succeeded().of("step-started") == []


def _packed(contract: Contract) -> str:
    return base64.b64encode(gzip.compress(json.dumps(contract).encode())).decode()


@pytest.mark.parametrize("form", [json.dumps, _packed], ids=["plain", "packed"])
def test_contract_from_the_environment(made: Stage, form: Callable[[Contract], str]) -> None:
    variables = {"ORCHESTRATE_CONTRACT": form(made.contract)}
    ended = made.orchestrate("run", "--only", "dns-records", "--json", variables=variables)
    assert ended.succeeded().events[0]["stack"] == "onyx-prod"


def test_contract_from_standard_input(made: Stage) -> None:
    text = json.dumps(made.contract)
    ended = made.orchestrate("run", "--contract", "-", "--only", "dns-records", "--json", stdin=text)
    assert ended.succeeded().events[0]["stack"] == "onyx-prod"


def test_a_database_without_tenant_is_reported_and_kept(made: Stage) -> None:
    with made.admin() as admin:
        admin.execute("CREATE DATABASE onyx_customer_gone TEMPLATE template0")
    try:
        ended = made.direct().succeeded()
        found = ended.of("finding-reported")
        assert [(one["step"], one["code"]) for one in found] == [("tenant-databases", "database-unowned")]
        assert "onyx_customer_gone" in found[0]["detail"]
        assert found[0]["fix"]
        assert ended.last["changed"] == 0
        assert "onyx_customer_gone" in made.databases()
    finally:
        with made.admin() as admin:
            admin.execute("DROP DATABASE onyx_customer_gone")


def test_inside_apply_run_leaves_the_work_to_it(made: Stage) -> None:
    made.recorder.forget()
    with parent(made.work, {}) as value:
        ended = made.run(ORCHESTRATE_PARENT=value).succeeded()
    assert [event["event"] for event in ended.events] == ["run-finished"]
    assert made.recorder.calls == []


def test_what_was_left_of_an_apply_keeps_no_run_from_its_work(made: Stage) -> None:
    """Its parent has ended, or is at work on another stack: a run does its steps, and says so."""
    with parent(made.work, {}) as ended_since:
        pass
    with parent(made.folder, {}) as of_another:
        for value in (ended_since, of_another):
            ended = made.run("--only", "dns-records", ORCHESTRATE_PARENT=value).succeeded()
            assert {one["subject"] for one in ended.of("step-done", "dns-records")} == HOSTNAMES.keys()
            assert [one["code"] for one in ended.of("finding-reported")] == ["parent-stale"]


def test_status_sees_what_a_run_made(made: Stage) -> None:
    ended = made.command("status", "--database-transport", "direct", "--json").succeeded()
    assert {event["event"] for event in ended.events[1:-1]} == {"step-done", "part-observed"}


def test_porkbun_instead_of_route53(made: Stage) -> None:
    contract = made.changed(dns__provider="porkbun", dns__ttl=600)
    made.recorder.forget()
    first = made.direct(contract=contract).succeeded()
    assert {one["subject"]: one["changed"] for one in first.of("step-done", "dns-records")} == dict.fromkeys(
        HOSTNAMES, 1
    )
    assert made.recorder.changes == []
    again = made.direct(contract=contract).succeeded()
    assert again.last["changed"] == 0


def test_for_people(made: Stage) -> None:
    ended = made.command("run", "--database-transport", "direct")
    assert ended.status == 0
    assert "succeeded, changed: 0" in ended.stdout
    assert ended.stderr == ""
