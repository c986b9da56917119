"""`orchestrate backup`, end to end on a stack built by the API: what is kept is really there, on good days and bad."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.stage import Ended, Stage
from tests.e2e.vaults import vault_of
from tests.waiting import until

pytestmark = pytest.mark.cloud

QUICK = ("--database-transport", "direct")


def backup(stage: Stage, *arguments: str, **more: Any) -> Ended:
    return stage.command("backup", *arguments, "--json", *QUICK, **more)


@pytest.fixture(scope="module")
def written(alive: Stage) -> Stage:
    """Rows and objects of both tenants, and a secret that one of them keeps among its settings."""
    s3 = alive.aws.client("s3")
    for tenant in alive.contract["tenants"]:
        with alive.tenant_login(tenant) as session:
            session.execute("CREATE TABLE chat (message text)")
            session.execute("INSERT INTO chat SELECT 'message ' || n FROM generate_series(1, 100) n")
            session.execute("CREATE TABLE key_value_store (key text, value jsonb, encrypted_value bytea)")
            session.execute("""INSERT INTO key_value_store VALUES ('settings', '{"a": 1, "token": "canary-5XG7"}')""")
        for number in range(20):
            key = f"onyx-files/{tenant}/file {number}+ü"
            s3.put_object(Bucket=alive.contract["bucket"], Key=key, Body=f"{tenant} {number}".encode() * 100)
    return alive


@pytest.fixture(scope="module")
def taken(written: Stage) -> Ended:
    return backup(written).succeeded()


def manifests(stage: Stage) -> list[dict[str, Any]]:
    """Every manifest in the bucket, the newest first."""
    s3 = stage.aws.client("s3")
    listed = s3.list_objects_v2(Bucket=vault_of(s3)).get("Contents", [])
    keys = sorted((one["Key"] for one in listed if one["Key"].endswith("/manifest.json")), reverse=True)
    return [json.loads(s3.get_object(Bucket=vault_of(s3), Key=key)["Body"].read()) for key in keys]


def running(stage: Stage) -> dict[str, int]:
    return {tenant: stage.service(tenant)["runningCount"] for tenant in stage.contract["tenants"]}


def containers(stage: Stage) -> set[str]:
    """What the state files of the instances' containers say; without one it was never touched."""
    return {one.read_text() for one in (stage.cloud.folder / "instances").glob("*/vespa.state")}


def test_a_stack_that_lives_is_kept_and_goes_on(written: Stage, taken: Ended) -> None:
    kept = manifests(written)[0]
    assert (kept["state"], kept["purpose"], kept["quiet"]) == ("complete", "keep", False)
    assert (kept["files"]["count"], len(kept["files"]["samples"])) == (40, 20)
    assert set(kept["index"]) == {"customer-a", "customer-b"}
    assert kept["database"]["encrypted"]
    for tenant in kept["tenants"].values():
        assert tenant["tables"]["public.chat"]["rows"] == 100
        assert tenant["settings"]["key_value_store"] == [{"key": "settings", "value": {"a": 1}}]
        assert written.contract["load_balancer"]["dns_name"].lower() in tenant["record"].lower()
        assert tenant["desired"] == 1
    assert any("not from the same moment" in one["detail"] for one in taken.of("finding-reported"))
    assert set(running(written).values()) == {1}
    assert containers(written) == {"running"}
    s3 = written.aws.client("s3")
    state = s3.get_public_access_block(Bucket=vault_of(s3))["PublicAccessBlockConfiguration"]
    assert all(state.values())


def test_no_secret_is_in_the_manifest_or_in_what_is_said(written: Stage, taken: Ended) -> None:
    secrets = [written.secret(tenant["secret_arn"])["password"] for tenant in written.contract["tenants"].values()]
    said = json.dumps(manifests(written)) + taken.stdout + taken.stderr
    assert [one for one in (*secrets, "canary-5XG7") if one in said] == []


def test_it_is_listed_and_verified_and_damage_is_found(written: Stage, taken: Ended) -> None:
    assert manifests(written)[0]["id"] in backup(written, "--list").succeeded().of("finding-reported")[0]["detail"]
    backup(written, "--verify", "last").succeeded()
    s3, key = written.aws.client("s3"), f"{manifests(written)[0]['id']}/objects/onyx-files/customer-a/file 0+ü"
    s3.delete_object(Bucket=vault_of(s3), Key=key)
    ended = backup(written, "--verify", "last")
    assert ended.status == 1
    assert "backup-objects-differ" in ended.codes


def test_a_snapshot_that_fails_is_said_and_the_way_on_works(written: Stage) -> None:
    written.fault("snapshot-fails")
    failed = backup(written)
    assert (failed.status, failed.codes) == (1, {"database-snapshot-failed"})
    name = failed.of("step-failed")[0]["fix"].split("--db-snapshot-identifier ")[1].split(",")[0]
    written.clear_faults()
    unfinished = manifests(written)[0]
    assert unfinished["state"] == "in-progress"
    written.aws.client("rds").delete_db_snapshot(DBSnapshotIdentifier=name)
    backup(written).succeeded()
    finished = manifests(written)[0]
    assert (finished["id"], finished["state"]) == (unfinished["id"], "complete"), "it went on with the same one"


def scaling(stage: Stage, tenant: str) -> set[bool]:
    """What of the service's autoscaling is suspended."""
    found = stage.aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    name = stage.contract["tenants"][tenant]["service"]
    (mine,) = (one for one in found["ScalableTargets"] if one["ResourceId"].endswith(f"/{name}"))
    return set(mine["SuspendedState"].values())


def test_killed_in_the_middle_it_goes_on_with_the_same_backup(written: Stage) -> None:
    """A service that scales by itself doesn't while it is stopped, and does afterwards."""
    written.aws.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{written.contract['cluster']}/{written.contract['tenants']['customer-a']['service']}",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1,
        MaxCapacity=4,
    )
    command = [
        sys.executable,
        "-P",
        "-m",
        "orchestrator",
        "backup",
        "--contract",
        str(written.folder / "contract.json"),
    ]
    with (written.folder / "killed").open("w") as output:
        process = subprocess.Popen(
            [*command, "--stop-services", "--poll", "0.5", *QUICK],
            env=written.environment(),
            cwd=written.work,
            stdout=output,
            stderr=output,
        )
        until("a container is stopped", lambda: "exited" in containers(written) or process.poll() is not None)
        assert process.poll() is None, (written.folder / "killed").read_text()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    unfinished = manifests(written)[0]
    assert (unfinished["state"], unfinished["desired"]) == ("in-progress", {"customer-a": 1, "customer-b": 1})
    assert scaling(written, "customer-a") == {True}

    backup(written, "--stop-services").succeeded()
    finished = manifests(written)[0]
    assert (finished["id"], finished["state"], finished["quiet"]) == (unfinished["id"], "complete", True)
    assert finished["warnings"] == []
    assert containers(written) == {"running"}
    until("the services run again", lambda: set(running(written).values()) == {1})
    assert scaling(written, "customer-a") == {False}


def test_only_the_newest_are_kept(written: Stage) -> None:
    assert len(manifests(written)) == 3
    asked = backup(written, "--prune", "1")
    assert (asked.status, asked.codes) == (2, {"approval-needed"})
    backup(written, "--prune", "1", "--auto-approve").succeeded()
    (left,) = manifests(written)
    rds, ec2, s3 = (written.aws.client(name) for name in ("rds", "ec2", "s3"))
    names = [one["DBSnapshotIdentifier"] for one in rds.describe_db_snapshots()["DBSnapshots"]]
    assert [one for one in names if not one.startswith("rds:")] == [f"onyx-prod-{left['id']}"]
    ours = [{"Name": "tag-key", "Values": ["orchestrate:backup"]}]
    assert len(ec2.describe_snapshots(Filters=ours)["Snapshots"]) == 2
    assert {one["Key"].split("/")[0] for one in s3.list_object_versions(Bucket=vault_of(s3))["Versions"]} == {
        left["id"]
    }
    backup(written, "--verify", "last").succeeded()


def resting(stage: Stage) -> tuple[str, set[str]]:
    """The database server's status, and the instances'."""
    answer = stage.aws.client("ec2").describe_instances()["Reservations"]
    machines = {one["State"]["Name"] for reservation in answer for one in reservation["Instances"]}
    return stage.aws.client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceStatus"], machines


def test_a_stack_that_is_paused_is_started_for_its_backup_and_stopped_again(written: Stage) -> None:
    """Said before it happens; its services stay at 0 all the while, and come back as they were."""
    written.command("pause", "--json", "--auto-approve").succeeded()
    tasks = written.aws.client("ecs").list_tasks(cluster=written.contract["cluster"], desiredStatus="STOPPED")
    ended = backup(written).succeeded()
    said = [one.get("code") or one["step"] for one in ended.events if one["event"] != "step-waiting"]
    assert said.index("paused-stack-wakes") < said.index("database-started")
    kept = manifests(written)[0]
    assert (kept["state"], kept["quiet"], kept["warnings"]) == ("complete", True, [])
    assert kept["desired"] == {"customer-a": 1, "customer-b": 1}
    assert resting(written) == ("stopped", {"stopped"})
    assert set(running(written).values()) == {0}
    after = written.aws.client("ecs").list_tasks(cluster=written.contract["cluster"], desiredStatus="STOPPED")
    assert set(after["taskArns"]) <= set(tasks["taskArns"]), "no task was started meanwhile"
    status = written.command("status", "--json", *QUICK).succeeded()
    assert "paused" in {one["code"] for one in status.of("finding-reported")}
    written.command("resume", "--json", *QUICK).succeeded()
    assert set(running(written).values()) == {1}
