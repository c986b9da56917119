"""A stack whose Terraform takes no snapshots: its databases go out and come back as dumps, through the runner."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.local.ssm.instance import real_psql
from tests import needed
from tests.e2e.lifecycle_stage import NAME, Lifecycle, lifecycle
from tests.waiting import CLOSELY, until

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lifecycle]:
    psql = real_psql()
    if psql is None or not psql.with_name("pg_restore").is_file():
        needed.lacks("this machine has no pg_dump and pg_restore")
    with lifecycle(tmp_path_factory.mktemp("dumps"), snapshots=False) as made:
        yield made


def last_manifest(place: Lifecycle) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(max((place.folder / ".orchestrate" / "backups").glob("*.json")).read_text())
    return found


def without_index(fingerprint: Mapping[str, str]) -> dict[str, str]:
    return {what: digest for what, digest in fingerprint.items() if not what.startswith("index/")}


def test_a_backup_without_dumps_can_not_be_restored_here_and_says_so(place: Lifecycle) -> None:
    place.command("backup", "--stop-services").succeeded()
    assert last_manifest(place)["warnings"] == []
    before = place.fingerprint()
    refused = place.command("restore", "--auto-approve")
    assert (refused.status, refused.codes) == (3, {"restore-without-way"})
    running = place.command("backup", "--dump")
    assert (running.status, running.codes) == (2, {"dump-of-running-stack"})
    assert place.fingerprint() == before


def test_destroyed_and_restored_by_dump_and_load(place: Lifecycle) -> None:
    place.customers.write("customer-b", 12, 2)
    before = place.fingerprint()
    destroyed = place.command("destroy", "--confirm", NAME).succeeded()
    assert {one["subject"] for one in destroyed.of("step-done", "databases-dumped")} == {"customer-a", "customer-b"}
    dumps = last_manifest(place)["dumps"]
    sizes = {one["key"]: one["bytes"] for one in dumps.values()}
    s3 = place.stage.aws.client("s3")
    bucket = last_manifest(place)["bucket"]
    assert {key: s3.head_object(Bucket=bucket, Key=key)["ContentLength"] for key in sizes} == sizes
    assert place.databases() == {}

    restored = place.command("restore", "--auto-approve").succeeded()
    proven = [one["detail"] for one in restored.of("step-done", "proof")]
    assert len(proven) == 3
    assert all(one.startswith("identical: ") for one in proven)
    assert "index-to-be-made-again" in {one["code"] for one in restored.of("finding-reported")}
    assert without_index(place.fingerprint()) == without_index(before)
    assert place.desired() == {"customer-a": 1, "customer-b": 2}


def test_onto_the_live_stack_only_what_was_named_goes(place: Lifecycle) -> None:
    kept = without_index(place.fingerprint())
    place.customers.write("customer-a", 20, 3)
    changed = place.fingerprint()
    refused = place.command("restore", "--auto-approve")
    assert (refused.status, refused.codes) == (3, {"data-loss"})
    losses = {one["loss"] for one in refused.of("finding-reported") if one["code"] == "restored-over"}
    bucket = f"bucket:{place.customers.contract['bucket']}"
    assert losses == {"database:onyx_customer_a", "database:onyx_customer_b", bucket}, "the index stays as it is"
    assert place.fingerprint() == changed
    place.command("restore", "--auto-approve", *(f"--allow-loss={one}" for one in losses)).succeeded()
    assert without_index(place.fingerprint()) == kept


def test_what_was_written_since_an_interrupted_restore_is_named_anew(place: Lifecycle) -> None:
    """Killed when it had begun to replace what was named; then the services are brought back, and a tenant works."""
    kept, said, s3 = without_index(place.fingerprint()), last_manifest(place), place.stage.aws.client("s3")
    names = ("database:onyx_customer_a", "database:onyx_customer_b", f"bucket:{place.customers.contract['bucket']}")
    named = [f"--allow-loss={one}" for one in names]

    def come_so_far() -> str:
        marker = s3.get_object(Bucket=said["bucket"], Key=f"{said['id']}/restore-to-{NAME}.json")["Body"].read()
        return str(json.loads(marker)["state"])

    place.customers.write("customer-a", 30, 3)
    first = place.begun("restore", "--auto-approve", *named)
    until("it has begun", lambda: come_so_far() == "begun", often=CLOSELY)
    first.kill()
    first.wait()
    assert come_so_far() == "begun"
    place.command("resume").succeeded()
    place.customers.write("customer-a", 40, 3)
    written = place.fingerprint()

    again = place.command("restore", "--auto-approve")
    assert (again.status, again.codes) == (3, {"data-loss"})
    assert "restore-disturbed" in {one["code"] for one in again.of("finding-reported")}
    told = {one["loss"]: one["detail"] for one in again.of("finding-reported") if one["code"] == "restored-over"}
    assert "table public.chat_message has" in told["database:onyx_customer_a"]
    assert place.fingerprint() == written
    assert place.desired() == {"customer-a": 1, "customer-b": 2}
    place.command("restore", "--auto-approve", *named).succeeded()
    assert without_index(place.fingerprint()) == kept


def test_no_signed_url_and_no_password_is_left_anywhere(place: Lifecycle) -> None:
    """In SSM's command history, its parameters, and the records of the runs, which have all that was said."""
    secrets = [
        place.stage.secret(one["secret_arn"])["password"] for one in place.customers.contract["tenants"].values()
    ]
    records = [one.read_text() for one in Path(place.folder / ".orchestrate").rglob("*.jsonl")]
    said = json.dumps([one["Parameters"] for one in place.stage.commands()]) + "".join(records)
    assert [one for one in (*secrets, "X-Amz-Signature", "Signature=") if one in said] == []
    parameters = place.stage.aws.client("ssm").get_paginator("describe_parameters").paginate().search("Parameters[]")
    assert list(parameters) == []
