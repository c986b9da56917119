"""`orchestrate destroy` and `restore`, end to end: nothing is lost, nothing is left, and everything comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.local.stories import comparison
from tests.e2e import small_stack
from tests.e2e.lifecycle_stage import NAME, Lifecycle, lifecycle
from tests.e2e.vaults import vault_of

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lifecycle]:
    with lifecycle(tmp_path_factory.mktemp("lifecycle")) as made:
        yield made


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        ((), 2, "approval-needed"),
        (("--no-backup", "--confirm", NAME), 3, "destroy-not-confirmed"),
        (("--confirm", f"{NAME} without backup"), 3, "destroy-not-confirmed"),
    ],
)
def test_without_the_right_words_nothing_happens(
    place: Lifecycle, arguments: tuple[str, ...], status: int, code: str
) -> None:
    ended = place.command("destroy", *arguments)
    assert (ended.status, ended.codes) == (status, {code})
    assert place.desired() == {"customer-a": 1, "customer-b": 2}
    assert place.databases() == {f"{NAME}-postgres": "available"}


LOSSES = {"database:onyx_customer_a", "database:onyx_customer_b", "vespa:customer-a", "vespa:customer-b"}


def test_a_stack_that_lives_is_restored_onto_only_when_each_loss_is_named(place: Lifecycle) -> None:
    """Rows, files and documents that were written after the backup: told, refused, named, gone; the rest is proven."""
    place.command("backup", "--stop-services").succeeded()
    assert place.desired() == {"customer-a": 1, "customer-b": 2}
    kept = place.fingerprint()
    place.customers.write("customer-a", 12, 3)
    before = place.fingerprint()
    refused = place.command("restore", "--auto-approve")
    assert (refused.status, refused.codes) == (3, {"data-loss"})
    losses = {one["loss"]: one for one in refused.of("finding-reported") if one["code"] == "restored-over"}
    bucket = f"bucket:{place.customers.contract['bucket']}"
    assert losses.keys() == {*LOSSES, bucket}
    assert "table public.chat_message has 15 rows, not 12" in losses["database:onyx_customer_a"]["detail"]
    assert "unchanged since the backup" in losses["database:onyx_customer_b"]["detail"]
    assert "15 documents now and will have 12" in losses["vespa:customer-a"]["detail"]
    assert "3 objects" in losses[bucket]["detail"]
    named = [f"--allow-loss={one}" for one in losses]
    partly = place.command("restore", "--auto-approve", *named[:-1])
    assert (partly.status, partly.codes) == (3, {"data-loss"})
    bound = [one["fix"].split("--allow-loss ")[1] for one in refused.of("step-failed")]
    assert all("@" in one for one in bound)
    stale = place.command("restore", "--auto-approve", *(f"--allow-loss={one[:-1]}0" for one in bound))
    assert stale.status == 3
    assert place.fingerprint() == before
    assert place.desired() == {"customer-a": 1, "customer-b": 2}

    restored = place.command("restore", "--auto-approve", *(f"--allow-loss={one}" for one in bound)).succeeded()
    proven = [one["detail"] for one in restored.of("step-done", "proof")]
    assert len(proven) == 3
    assert all(detail.startswith("identical: ") for detail in proven)
    assert place.fingerprint() == kept
    assert place.desired() == {"customer-a": 1, "customer-b": 2}


def test_a_whole_life(place: Lifecycle) -> None:
    """Guarded data, written after the last backup, through destroy and restore."""
    place.customers.write("customer-a", 12, 3)
    before, records = comparison.look(place.customers), place.stage.records()
    rds, s3 = place.stage.aws.client("rds"), place.stage.aws.client("s3")
    rds.modify_db_instance(DBInstanceIdentifier=f"{NAME}-postgres", DeletionProtection=True, ApplyImmediately=True)

    destroyed = place.command("destroy", "--confirm", NAME).succeeded()
    assert place.databases() == {}
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == [vault_of(s3, NAME)]
    assert place.stage.aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert place.stage.records() == records
    dark = [one["subject"] for one in destroyed.of("finding-reported") if one["code"] == "dns-leads-nowhere"]
    assert dark == ["customer-a", "customer-b"]
    assert place.command("destroy", "--confirm", NAME).succeeded().last["changed"] == 0

    restored = place.command("restore", "--auto-approve").succeeded()
    proven = [one["detail"] for one in restored.of("step-done", "proof")]
    assert len(proven) == 3
    assert all(detail.startswith("identical: ") for detail in proven)
    assert list(comparison.broken("destroy and restore", before, comparison.look(place.customers))) == []
    assert place.desired() == {"customer-a": 1, "customer-b": 2}
    assert place.command("run").succeeded().last["changed"] == 0


COPY = (
    "name=onyx-staging",
    "log_prefix=/ecs/staging",
    'hostnames={customer-a="a.staging.vigilon.app",customer-b="b.staging.vigilon.app"}',
)


def test_a_copy_for_staging_leaves_the_original_alone(place: Lifecycle) -> None:
    """Another name and other hostnames, in a directory of its own, from a backup that says when it was taken."""
    place.command("backup", "--stop-services").succeeded()
    said = json.loads(max((place.folder / ".orchestrate" / "backups").glob("*.json")).read_text())
    manifest = f"s3://{said['bucket']}/{said['id']}/manifest.json"
    original, records, desired = place.fingerprint(), place.stage.records(), place.desired()
    deployments = {tenant: place.stage.deployment(tenant) for tenant in said["tenants"]}

    folder = small_stack.write(place.stage.work / "copy")
    copy = replace(place, folder=folder, name="onyx-staging", variables=COPY, transport="ssm")
    greedy = replace(copy, variables=COPY[:-1])
    refused = greedy.command("restore", manifest, "--auto-approve")
    assert (refused.status, refused.codes) == (3, {"clone-needs-hostnames"})
    assert place.stage.records() == records

    restored = copy.command("restore", manifest, "--auto-approve").succeeded()
    assert len(restored.of("step-done", "proof")) == 3
    assert copy.fingerprint() == original
    after = place.stage.records()
    assert {name: value for name, value in after.items() if name in records} == records
    assert after.keys() - records.keys() == {"a.staging.vigilon.app", "b.staging.vigilon.app"}
    assert place.fingerprint() == original
    assert place.desired() == desired
    assert {tenant: place.stage.deployment(tenant) for tenant in said["tenants"]} == deployments
    assert place.command("run").succeeded().last["changed"] == 0

    copy.customers.write("customer-a", 50, 2)
    assert place.fingerprint() == original, "they share nothing"
    copy.command("destroy", "--confirm", "onyx-staging").succeeded()
    assert place.fingerprint() == original
    assert place.databases() == {f"{NAME}-postgres": "available"}


def test_a_paused_stack_is_destroyed_with_a_backup_and_comes_back(place: Lifecycle) -> None:
    before = place.fingerprint()
    place.command("pause", "--auto-approve").succeeded()
    assert place.databases() == {f"{NAME}-postgres": "stopped"}
    destroyed = place.command("destroy", "--confirm", NAME).succeeded()
    assert "paused-stack-wakes" in {one["code"] for one in destroyed.of("finding-reported")}
    assert place.databases() == {}
    place.command("restore", "--auto-approve").succeeded()
    assert place.fingerprint() == before
    assert place.desired() == {"customer-a": 1, "customer-b": 2}


def test_a_manifest_that_was_edited_or_is_damaged_restores_nothing(place: Lifecycle) -> None:
    copies = sorted((place.folder / ".orchestrate" / "backups").glob("*.json"))
    said = json.loads(copies[-1].read_text())
    edited = place.stage.folder / "edited.json"
    edited.write_text(json.dumps({**said, "stack": "another"}))
    assert place.command("restore", "--auto-approve", str(edited)).codes == {"manifest-edited"}
    s3, key = place.stage.aws.client("s3"), f"{said['id']}/objects/onyx-files/customer-a/file 1.txt"
    s3.delete_object(Bucket=said["bucket"], Key=key)
    damaged = place.command("restore", "--auto-approve")
    assert damaged.status == 3
    assert "backup-objects-differ" in damaged.codes
