"""A stack of many tenants lives through everything a small one does. `TENANTS=90` (`make scale`): as many as one
load balancer holds with room to spare, on pages as large as AWS's: of three items, the local cloud would make each list
anew for each of sixty pages. In the suite 25, more than any one page, batch or certificate takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, stage

pytestmark = pytest.mark.cloud

TENANTS = tuple(f"customer-{number:02d}" for number in range(1, int(os.environ.get("TENANTS", "25")) + 1))
SECONDS_EACH = 6
"""More that a command may take for each tenant: a backup runs eight programs on each instance, all on this machine."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stack brought to life over SSM, as after terraform apply and a run."""
    folder: Path = tmp_path_factory.mktemp("scale")
    with stage(folder, tenants=TENANTS) as made:
        made.seconds += SECONDS_EACH * len(TENANTS)
        made.command("certificate", "--json").succeeded()
        made.run().succeeded()
        yield made


def tasks(stage: Stage) -> dict[str, tuple[int, int]]:
    """Tenant → how many tasks run, and how many should."""
    found = {tenant: stage.service(tenant) for tenant in stage.contract["tenants"]}
    return {tenant: (one["runningCount"], one["desiredCount"]) for tenant, one in found.items()}


def test_every_tenant_is_up(many: Stage) -> None:
    names = {many.contract["tenants"][tenant]["database"] for tenant in TENANTS}
    assert many.databases() == {name: name for name in names}
    assert tasks(many) == dict.fromkeys(TENANTS, (1, 1))
    assert {one["hostname"] for one in many.contract["tenants"].values()} <= many.records().keys()


@pytest.mark.parametrize("transport", ["direct", "ssm"])
def test_a_second_run_changes_nothing(many: Stage, transport: str) -> None:
    assert many.run("--database-transport", transport).succeeded().last["changed"] == 0


def test_status_and_doctor_find_nothing(many: Stage) -> None:
    shown = many.command("status", "--database-transport", "direct")
    assert shown.status == 0, shown.stdout
    assert all(tenant in shown.stdout for tenant in TENANTS)
    seen = many.command("doctor", "--database-transport", "direct", "--json").succeeded()
    assert seen.of("finding-reported", "doctor") == []


def test_backup_keeps_every_tenants_parts(many: Stage) -> None:
    many.command("backup", "--json").succeeded()
    many.command("backup", "--verify", "last", "--json").succeeded()


def test_paused_and_resumed_all_are_up_again(many: Stage) -> None:
    many.command("pause", "--auto-approve", "--json").succeeded()
    assert tasks(many) == dict.fromkeys(TENANTS, (0, 0))
    many.command("resume", "--json").succeeded()
    assert tasks(many) == dict.fromkeys(TENANTS, (1, 1))
    assert many.direct().succeeded().last["changed"] == 0
