"""`orchestrate destroy` and `restore`, end to end: nothing is lost, nothing is left, and everything comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from orchestrator.local import fates
from tests.e2e.lifecycle_stage import NAME, Lifecycle, lifecycle

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


def test_a_stack_that_lives_is_not_restored_onto(place: Lifecycle) -> None:
    place.command("backup", "--stop-services").succeeded()
    assert place.desired() == {"customer-a": 1, "customer-b": 2}
    before = place.fingerprint()
    ended = place.command("restore", "--auto-approve")
    assert (ended.status, ended.codes) == (3, {"restore-onto-live"})
    assert place.fingerprint() == before


def test_a_whole_life(place: Lifecycle) -> None:
    """Guarded data, written after the last backup, through destroy and restore."""
    place.customers.write("customer-a", 12, 3)
    before, records = fates.look(place.customers), place.stage.records()
    rds, s3 = place.stage.aws.client("rds"), place.stage.aws.client("s3")
    rds.modify_db_instance(DBInstanceIdentifier=f"{NAME}-postgres", DeletionProtection=True, ApplyImmediately=True)

    destroyed = place.command("destroy", "--confirm", NAME).succeeded()
    assert place.databases() == {}
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == [f"{NAME}-backups-123456789012"]
    assert place.stage.aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert place.stage.records() == records
    dark = [one["subject"] for one in destroyed.of("finding-reported") if one["code"] == "dns-leads-nowhere"]
    assert dark == ["customer-a", "customer-b"]
    assert place.command("destroy", "--confirm", NAME).succeeded().last["changed"] == 0

    restored = place.command("restore", "--auto-approve").succeeded()
    proven = [one["detail"] for one in restored.of("step-done", "proof")]
    assert len(proven) == 3
    assert all(detail.startswith("identical: ") for detail in proven)
    assert list(fates.broken("destroy and restore", before, fates.look(place.customers))) == []
    assert place.desired() == {"customer-a": 1, "customer-b": 2}
    assert place.command("run").succeeded().last["changed"] == 0


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
