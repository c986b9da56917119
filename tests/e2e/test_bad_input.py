"""Bad input: one clear error with code, place and fix; the exit status says whose fault it is; nothing is changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from orchestrator.errors import Invalid
from orchestrator.local.toolchain import toolchain
from tests import needed
from tests.e2e.stage import Contract, Ended, Stage

pytestmark = pytest.mark.cloud


def clear(ended: Ended, status: int, *codes: str) -> None:
    """Exactly these problems, each with a fix; no traceback; the outcome fits the exit status."""
    assert (ended.status, sorted(code for _, _, code in ended.failures)) == (status, sorted(codes)), ended
    assert all(one["detail"] and one["fix"] for one in ended.of("step-failed")), ended.stdout
    assert (ended.last["event"], ended.last["changed"]) == ("run-finished", 0)
    assert "Traceback" not in ended.stderr + ended.stdout


@contextmanager
def unchanged(stage: Stage) -> Iterator[None]:
    """No AWS call that could change something, and the databases are as they were."""
    before = stage.databases()
    stage.recorder.forget()
    yield
    assert stage.recorder.changes == []
    assert stage.databases() == before


# Contracts.

BAD_NAMES: Mapping[str, str] = {
    "empty": "",
    "long": "onyx_" + "x" * 59,
    "nul": "onyx\0a",
    "quote": "onyx'a",
    "double": 'onyx"a',
    "drop": "onyx; DROP DATABASE postgres",
    "system": "template1",
    "upper": "Onyx",
}


def _tenant(stage: Stage, name: str, **keys: str) -> dict[str, str]:
    """A good tenant of another name."""
    group = stage.contract["tenants"]["customer-a"]["target_group_arn"]
    return {
        **stage.contract["tenants"]["customer-a"],
        "database": f"onyx_{name}",
        "role": f"onyx_{name}",
        "service": f"{name}-service",
        "hostname": f"{name}.vigilon.app",
        "target_group_arn": f"{group}{name}",
        **keys,
    }


def test_every_bad_database_name_is_named_at_once(cold: Stage) -> None:
    tenants = {name: _tenant(cold, name, database=bad) for name, bad in BAD_NAMES.items()}
    with unchanged(cold):
        ended = cold.run(contract={**cold.contract, "tenants": tenants})
    clear(ended, 2, *["contract-value-invalid"] * len(BAD_NAMES))
    places = {one["context"].rpartition(": ")[2] for one in ended.of("step-failed")}
    assert places == {f"tenants.{name}.database" for name in BAD_NAMES}


def test_several_defects_are_named_at_once(cold: Stage) -> None:
    contract = cold.changed(region="", database__port=0, runner__instance_id="vespa", surprise=1)
    del contract["cluster"]
    with unchanged(cold):
        ended = cold.run(contract=contract)
    invalid = ["contract-value-invalid"] * 3
    clear(ended, 2, "contract-key-missing", "contract-key-unknown", *invalid)


def test_what_must_be_a_tenants_own_occurs_once(cold: Stage) -> None:
    twin = _tenant(cold, "twin", database="onyx_customer_a", hostname="demo.vigilon.app")
    contract = {**cold.contract, "tenants": {**cold.contract["tenants"], "twin": twin}}
    with unchanged(cold):
        ended = cold.run(contract=contract)
    clear(ended, 2, "contract-duplicate-database", "contract-duplicate-hostname")
    said = " ".join(one["context"] + one["detail"] for one in ended.of("step-failed"))
    assert "onyx_customer_a" in said
    assert "demo.vigilon.app" in said


@pytest.mark.parametrize("schema", [None, 2, "1"])
def test_unknown_schema(cold: Stage, schema: object) -> None:
    with unchanged(cold):
        clear(cold.run(contract=cold.changed(schema=schema)), 2, "contract-schema-unknown")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "contract-unreadable"),
        ("{", "contract-unreadable"),
        ("[]", "contract-unreadable"),
        ('{"schema": 1}', "contract-key-missing"),
    ],
)
def test_not_a_contract(cold: Stage, given: str, code: str) -> None:
    ended = cold.orchestrate("run", "--contract", "-", "--json", stdin=given)
    assert ended.status == 2
    assert ended.codes == {code}
    assert "Traceback" not in ended.stderr


def test_no_such_contract_file(cold: Stage) -> None:
    clear(cold.orchestrate("run", "--contract", "missing.json", "--json"), 2, "contract-unreadable")


# Command line and settings.


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("--tenant", "customer-c", "--tenant", "customer-a", "--tenant", "x"), ("tenant-unknown", "tenant-unknown")),
        (("--only", "databases"), ("unknown-step",)),
        (("--skip", "sight"), ("unknown-step",)),
        (("--step-timeouts", "servces=5"), ("unknown-step",)),
        (
            ("--database-transport", "telnet", "--timeout", "soon", "--site-port", "70000", "--ca-file", "no.pem"),
            ("setting-invalid",) * 4,
        ),
        (("--profile", "nobody"), ("aws-profile-unknown",)),
    ],
)
def test_wrong_flags(cold: Stage, arguments: tuple[str, ...], codes: tuple[str, ...]) -> None:
    with unchanged(cold):
        clear(cold.run(*arguments), 2, *codes)


def test_wrong_settings_file(cold: Stage) -> None:
    file = cold.work / "orchestrate.toml"
    file.write_text('tiemout = 5\npoll = "often"\n')
    try:
        with unchanged(cold):
            ended = cold.orchestrate("run", "--contract", "../contract.json", "--json")
    finally:
        file.unlink()
    clear(ended, 2, "setting-unknown", "setting-invalid")
    assert any("timeout" in one["fix"] for one in ended.of("step-failed"))


def test_wrong_usage(cold: Stage) -> None:
    ended = cold.orchestrate("run", "--no-such-flag")
    assert ended.status == 2
    assert "There is no option --no-such-flag." in ended.stderr
    assert ended.stdout == ""


# Whose account, and who we are.


def test_another_account(cold: Stage) -> None:
    with unchanged(cold):
        ended = cold.run(contract=cold.changed(account_id="999999999999"))
    clear(ended, 3, "wrong-account")
    assert "999999999999" in ended.of("step-failed")[0]["detail"]


def test_no_credentials(cold: Stage) -> None:
    with unchanged(cold):
        ended = cold.run(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_EC2_METADATA_DISABLED="true")
    clear(ended, 2, "credentials-missing")
    assert cold.recorder.calls == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [("ExpiredToken", "credentials-expired"), ("InvalidClientTokenId", "credentials-rejected")],
)
def test_credentials_that_aws_refuses(cold: Stage, answer: str, code: str) -> None:
    body = f"<ErrorResponse><Error><Code>{answer}</Code><Message>It is.</Message></Error></ErrorResponse>"
    cold.recorder.forget()
    cold.recorder.refusal = (403, body.encode())
    try:
        ended = cold.run()
    finally:
        cold.recorder.refusal = None
    clear(ended, 2, code)
    assert cold.recorder.calls == ["sts:GetCallerIdentity"]


def test_a_region_without_the_stack(cold: Stage) -> None:
    """A record must not lead to a load balancer that isn't there."""
    contract: Contract = json.loads(json.dumps(cold.contract).replace("us-west-2", "eu-central-1"))
    with unchanged(cold):
        ended = cold.run(contract=contract)
    clear(ended, 2, "load-balancer-missing")
    assert "eu-central-1" in ended.of("step-failed")[0]["detail"]


def test_the_old_name_of_the_load_balancer(cold: Stage) -> None:
    contract = cold.changed(load_balancer__dns_name="onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com")
    with unchanged(cold):
        clear(cold.run(contract=contract), 2, "contract-stale")


def test_the_parts_that_a_region_lacks_are_named(cold: Stage) -> None:
    with unchanged(cold):
        ended = cold.run("--skip", "dns-records", contract=cold.changed(region="eu-central-1"))
    clear(ended, 1, "database-server-missing", "runner-missing", "redis-missing")
    assert all("region" in one["fix"] or "contract" in one["fix"] for one in ended.of("step-failed"))


# DNS.


def test_porkbun_without_keys(cold: Stage) -> None:
    contract = cold.changed(dns__provider="porkbun")
    with unchanged(cold):
        ended = cold.run(contract=contract, PORKBUN_API_KEY=None, PORKBUN_SECRET_API_KEY=None)
    clear(ended, 2, "dns-credentials-missing")


def test_porkbun_with_wrong_keys(cold: Stage) -> None:
    contract = cold.changed(dns__provider="porkbun")
    with unchanged(cold):
        clear(cold.run(contract=contract, PORKBUN_API_KEY="pk1_wrong"), 2, "dns-credentials-rejected")


def test_a_zone_that_is_not_there(cold: Stage) -> None:
    with unchanged(cold):
        clear(cold.run(contract=cold.changed(dns__zone="vigilon.example")), 2, "dns-zone-not-found")


def test_a_provider_that_nobody_knows(cold: Stage) -> None:
    with unchanged(cold):
        clear(cold.run(contract=cold.changed(dns__provider="bind")), 2, "dns-provider-unknown")


# The database.


@pytest.mark.parametrize("transport", ["ssm", "direct"])
def test_wrong_admin_password(cold: Stage, transport: str) -> None:
    arn = cold.contract["database"]["admin_secret_arn"]
    secrets = cold.aws.client("secretsmanager")
    right = secrets.get_secret_value(SecretId=arn)["SecretString"]
    before = cold.databases()
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"username": "onyx_root", "password": "not-it"}))
    try:
        ended = cold.run("--only", "tenant-databases", "--database-transport", transport)
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=right)
    clear(ended, 1, "admin-password-wrong")
    assert ended.failures == [("tenant-databases", "", "admin-password-wrong")]
    assert "not-it" not in ended.stdout + ended.stderr
    assert cold.databases() == before


# Terraform.


def _no_contract(stage: Stage, command: str, **variables: str | None) -> Ended:
    return stage.orchestrate(command, "--json", variables=variables)


@pytest.mark.parametrize("command", ["apply", "plan", "preflight", "run", "status"])
def test_terraform_missing(cold: Stage, command: str) -> None:
    empty = cold.folder / "empty"
    empty.mkdir(exist_ok=True)
    with unchanged(cold):
        clear(_no_contract(cold, command, PATH=str(empty), TERRAFORM_BIN=None), 2, "terraform-missing")


@pytest.mark.parametrize("command", ["apply", "plan"])
def test_terraform_too_old(cold: Stage, command: str) -> None:
    old = cold.folder / "terraform"
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.5.7"}\'\n')
    old.chmod(0o755)
    with unchanged(cold):
        ended = _no_contract(cold, command, TERRAFORM_BIN=str(old))
    clear(ended, 2, "terraform-too-old")
    assert "1.5.7" in ended.of("step-failed")[0]["detail"]


@pytest.fixture(scope="module")
def terraform() -> str:
    """The real program; skipped by name where there is none, an error in CI."""
    try:
        return str(toolchain.prepare(dict(os.environ)).environment({})["TERRAFORM_BIN"])
    except Invalid as missing:
        needed.lacks(str(missing))


@pytest.mark.terraform
@pytest.mark.parametrize("command", ["run", "status"])
def test_no_outputs_yet(cold: Stage, terraform: str, command: str) -> None:
    with unchanged(cold):
        clear(_no_contract(cold, command, TERRAFORM_BIN=terraform), 2, "no-outputs")


# It is last: it brings the other tenant to life.


def test_a_foreign_record_is_not_touched(cold: Stage) -> None:
    foreign: dict[str, Any] = {
        "Name": "customer-b.vigilon.app",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "status.example.com"}],
    }
    route53 = cold.aws.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": foreign}]}
    )
    ended = cold.direct()
    assert (ended.status, ended.last.get("outcome")) == (3, "refused"), ended.stdout + ended.stderr
    assert ended.failures == [("dns-records", "customer-b", "dns-foreign-record")]
    assert cold.records()["customer-b.vigilon.app"] == "status.example.com"
    assert cold.records()["demo.vigilon.app"] == cold.contract["load_balancer"]["dns_name"]
    assert set(cold.databases()) == {"onyx_customer_a", "onyx_customer_b"}
    assert {one["subject"] for one in ended.of("step-done", "services")} == {"customer-a", "customer-b"}
    assert {one["subject"] for one in ended.of("step-done", "sites")} == {"customer-a"}
