"""`orchestrate backup`, end to end on a stack built by the API: what is kept is really there, whatever happens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.stage import Ended, Stage

pytestmark = pytest.mark.cloud


def backup(stage: Stage, *arguments: str, **more: Any) -> Ended:
    return stage.command("backup", *arguments, "--json", "--database-transport", "direct", **more)


@pytest.fixture(scope="module")
def written(alive: Stage) -> Stage:
    """Rows and objects of both tenants."""
    s3 = alive.aws.client("s3")
    for tenant in alive.contract["tenants"]:
        with alive.tenant_login(tenant) as session:
            session.execute("CREATE TABLE chat (message text)")
            session.execute("INSERT INTO chat SELECT 'message ' || n FROM generate_series(1, 100) n")
        for number in range(20):
            key = f"onyx-files/{tenant}/file {number}+ü"
            s3.put_object(Bucket=alive.contract["bucket"], Key=key, Body=f"{tenant} {number}".encode() * 100)
    return alive


def manifest(stage: Stage, number: int = 0) -> dict[str, Any]:
    """The newest one of the backups that are listed."""
    listed = backup(stage, "--list").succeeded().of("finding-reported")
    place = listed[number]["detail"].split("s3://")[1]
    bucket, key = place.split("/", 1)
    body = stage.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_backup_of_a_stack_that_lives(written: Stage) -> None:
    ended = backup(written).succeeded()
    kept = manifest(written)
    assert (kept["state"], kept["purpose"], kept["quiet"]) == ("complete", "keep", False)
    assert kept["files"]["count"] == 40
    assert len(kept["files"]["samples"]) == 20
    assert set(kept["index"]) == {"customer-a", "customer-b"}
    for tenant in kept["tenants"].values():
        assert tenant["tables"]["public.chat"]["rows"] == 100
        assert written.contract["load_balancer"]["dns_name"].lower() in tenant["record"].lower()
        assert tenant["desired"] == 1
    assert any("not of one instant" in one["detail"] for one in ended.of("finding-reported"))
    assert all(written.service(tenant)["runningCount"] == 1 for tenant in written.contract["tenants"])
