"""Each fault of the local cloud has its documented outcome (docs/reference/faults.md); cleared, the next run works."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stage import Ended, Stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

SICK, WELL = "customer-b", "customer-a"
TABLE = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"


def _is_down(stage: Stage) -> bool:
    service = stage.service(SICK)
    return bool(service["runningCount"] < service["desiredCount"])


def _health(stage: Stage, tenant: str) -> set[str]:
    group = stage.contract["tenants"][tenant]["target_group_arn"]
    found: list[dict[str, Any]] = stage.aws.client("elbv2").describe_target_health(TargetGroupArn=group)[
        "TargetHealthDescriptions"
    ]
    return {one["TargetHealth"]["State"] for one in found}


def _is_sick(stage: Stage) -> bool:
    return "healthy" not in _health(stage, SICK)


def _redeploy(stage: Stage) -> bool:
    """What an operator would do: the running task has its image already."""
    name = stage.contract["tenants"][SICK]["service"]
    stage.aws.client("ecs").update_service(cluster=stage.contract["cluster"], service=name, forceNewDeployment=True)
    return True


def _documented(name: str) -> tuple[str, str, str]:
    """Exit status, step and code of a fault in the table."""
    row = re.search(rf"^\| `{name}` \|(.*)$", TABLE.read_text(), re.MULTILINE)
    assert row, f"{name} is not documented"
    status, step, code = re.findall(r"`([^`]*)`", row[1])[:3]
    return status, step, code


def _is_as_documented(ended: Ended, name: str, subject: str) -> None:
    status, step, code = _documented(name)
    assert (str(ended.status), ended.failures) == (status, [(step, subject, code)]), ended.stdout + ended.stderr
    assert all(one["fix"] for one in ended.of("step-failed"))
    assert "Traceback" not in ended.stderr


def _recovers(stage: Stage) -> None:
    stage.clear_faults()
    stage.direct().succeeded()
    assert (_health(stage, SICK), _health(stage, WELL)) == ({"healthy"}, {"healthy"})


def test_missing_database_is_healed(alive: Stage) -> None:
    before = {tenant: alive.deployment(tenant) for tenant in (SICK, WELL)}
    alive.fault("missing-database", SICK)
    alive.recorder.forget()
    ended = alive.direct().succeeded()
    assert ended.last["changed"] > 0
    changes = [one for one in alive.recorder.changes if one != "ssm:SendCommand"]  # by which it looks into the indexes
    assert changes == ["ecs:UpdateService"], "exactly one service starts again"
    assert alive.deployment(SICK) != before[SICK]
    assert alive.deployment(WELL) == before[WELL]
    _recovers(alive)


def test_throttling_is_survived(alive: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "seconds", 1200)  # each seventh call is sent five times, with botocore's waits between
    alive.fault("missing-database", SICK)
    alive.fault("throttle")
    alive.recorder.forget()
    ended = alive.run().succeeded()
    assert ended.last["changed"] > 0
    assert ended.last["aws_calls"] == len(alive.recorder.calls)
    once = [call for call, times in Counter(alive.recorder.calls).items() if times < 2]
    assert once == [], "every call's first attempt is refused, so none is made only once"
    _recovers(alive)


@pytest.mark.parametrize(
    ("name", "felt"),
    [("oom", _is_down), ("image-pull", _redeploy), ("unhealthy-target", _is_sick)],
)
def test_one_tenant_fails_and_the_other_is_up(alive: Stage, name: str, felt: Any) -> None:
    alive.fault(name, SICK)
    until(f"{name} is felt", lambda: felt(alive))
    ended = alive.direct()
    _is_as_documented(ended, name, SICK)
    assert ended.last["outcome"] == "failed"
    assert ended.of("step-done", "services", WELL)
    assert ended.of("step-done", "sites", WELL)
    assert _health(alive, WELL) == {"healthy"}
    _recovers(alive)


def test_runner_offline(alive: Stage) -> None:
    alive.fault("runner-offline")
    ended = alive.run("--step-timeouts", "runner=2")
    _is_as_documented(ended, "runner-offline", "")
    assert ended.last["outcome"] == "timed-out"
    assert ended.of("step-done", "dns-records", SICK), "what needs no runner is done all the same"
    assert not ended.of("step-started", "tenant-databases")
    _recovers(alive)


def test_runner_without_psql(alive: Stage) -> None:
    alive.fault("runner-without-psql")
    ended = alive.run()
    _is_as_documented(ended, "runner-without-psql", "")
    assert "psql" in ended.of("step-failed")[0]["detail"]
    alive.clear_faults()
    alive.run().succeeded()
