"""What ECS's record of a deployment is turned into, and what it costs to know it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import boto3
import pytest

from orchestrator.aws.service_deployments import PauseHook, RolloutRecord
from orchestrator.errors import Invalid, OrchestratorError, Problem
from orchestrator.events import StepWaiting
from orchestrator.rollout import progress, stages
from tests.unit.rollout.scripted_cluster import Life, at
from tests.unit.rollout.test_progress import Context, one, problem, waits

ARN = "arn:aws:ecs:us-west-2:123456789012:service-deployment/c/a-service/1"
UNDER_WAY = RolloutRecord(ARN, "IN_PROGRESS", stage="SCALE_UP", strategy="BLUE_GREEN", visitors=0.0)
HOOK = PauseHook("ecs-pause-1", datetime(2026, 1, 2, 10, 30, tzinfo=UTC), "ROLLBACK")
PAUSED = replace(UNDER_WAY, stage="POST_SCALE_UP", hook=HOOK)
BAKES = replace(UNDER_WAY, stage="BAKE_TIME", visitors=100.0, bake=15)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            UNDER_WAY,
            ["BLUE_GREEN is at SCALE_UP (the new tasks start)", "0 % of production traffic goes to the new tasks"],
        ),
        (
            PAUSED,
            [
                "BLUE_GREEN is at POST_SCALE_UP (the new tasks run)",
                "0 % of production traffic goes to the new tasks",
                "waits for ContinueServiceDeployment until 2026-01-02 10:30 UTC, then it rolls back",
            ],
        ),
        (
            BAKES,
            [
                "BLUE_GREEN is at BAKE_TIME (old and new tasks run side by side for 15 minutes)",
                "100 % of production traffic goes to the new tasks",
            ],
        ),
        (
            replace(UNDER_WAY, stage="A_NEW_ONE"),
            ["BLUE_GREEN is at A_NEW_ONE", "0 % of production traffic goes to the new tasks"],
        ),
        (
            RolloutRecord(ARN, "ROLLBACK_IN_PROGRESS", alarms=("slow", "errors")),
            ["it rolls back (alarms went off: slow, errors)"],
        ),
        (RolloutRecord(ARN, "SUCCESSFUL", strategy="CANARY", visitors=100.0), []),
    ],
)
def test_how_far_it_is(record: RolloutRecord, said: list[str]) -> None:
    assert list(stages.doing(record)) == said


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (None, ""),
        (RolloutRecord(ARN, "STOPPED"), ""),
        (RolloutRecord(ARN, "STOPPED", "Stopped by hand.", rollback="Stopped by hand."), "Stopped by hand"),
        (
            RolloutRecord(ARN, "STOPPED", "gave up", breaker="TRIGGERED", failures=3, threshold=3),
            "gave up; the circuit breaker gave up after 3 failed tasks (its threshold: 3)",
        ),
        (
            RolloutRecord(ARN, "ROLLBACK_SUCCESSFUL", "rolled back", rollback="an alarm", alarms=("slow",)),
            "rolled back; an alarm; alarms went off: slow",
        ),
        (RolloutRecord(ARN, "STOPPED", "gave up", breaker="MONITORING_COMPLETE", failures=1), "gave up"),
    ],
)
def test_why_it_failed(record: RolloutRecord | None, said: str) -> None:
    assert stages.reason(record) == said


def test_every_stage_of_aws_has_its_words() -> None:
    shape = boto3.client("ecs", region_name="us-west-2").meta.service_model.operation_model(
        "DescribeServiceDeployments"
    )
    members = shape.output_shape.members["serviceDeployments"].member.members  # type: ignore[union-attr]
    assert set(members["lifecycleStage"].enum) <= stages.STAGES.keys()


def native(**more: object) -> Context:
    """Blue/green: good 200 s after it began, when its hook has been answered."""
    told = {1000.0: UNDER_WAY, 1060.0: PAUSED, 1150.0: BAKES}
    given: dict[str, object] = {"strategy": "BLUE_GREEN", "records": told, **more}
    return one(Life(1000, 1030, 1200), **given)


def test_the_stages_are_said_while_it_is_waited_for() -> None:
    context = native()
    endings, events = waits(context)
    said = [event.detail for event in events if isinstance(event, StepWaiting)]
    assert endings["a"].outcome.word == "succeeded"
    for words in ("is at SCALE_UP", "waits for ContinueServiceDeployment", "is at BAKE_TIME"):
        assert any(words in one for one in said), (words, said)
    calls = context.cluster.calls
    assert calls["ListServiceDeployments"] == 1
    assert calls["DescribeServiceDeployments"] <= 200 / progress.DETAILS_PERIOD + 5


def test_a_deadline_at_a_pause_hook_names_the_command() -> None:
    endings, _ = waits(native(records={1000.0: PAUSED}), timeout=100)
    assert (problem(endings).code, problem(endings).fix.partition(":")[0]) == (
        "deployment-paused",
        "orchestrate continue a",
    )


def test_a_rolling_service_that_comes_up_costs_none_of_these_calls() -> None:
    context = one(Life(1000, 1005, 1040))
    waits(context)
    assert context.cluster.calls["ListServiceDeployments"] == context.cluster.calls["DescribeServiceDeployments"] == 0


def test_a_record_that_may_not_be_read_leaves_the_wait_as_it_was() -> None:
    denied = OrchestratorError(Problem("access-denied", "not authorized", "", "grant it"))
    endings, _ = waits(native(refuses_records=denied))
    assert endings["a"].outcome.word == "succeeded"


def test_credentials_that_are_wrong_are_not_swallowed() -> None:
    cluster = native(refuses_records=Invalid(Problem("credentials-invalid", "no", "", "sign in"))).cluster
    with pytest.raises(Invalid):
        progress.observe(cluster.stack, cluster, cluster, cluster)


def test_an_older_deployments_record_is_not_taken_for_the_new_ones() -> None:
    """A late list still has the one before as its newest."""
    older = RolloutRecord(f"{ARN}-older", "SUCCESSFUL")
    context = native(records={1000.0: older, 1020.0: PAUSED})
    cluster = context.cluster
    look = partial(progress.observe, cluster.stack, cluster, cluster, cluster, memory=context.rollout_memory)
    seen = []
    for now in (1001, 1040):
        cluster.clock.seconds = now
        seen.append(look(now=at(now))["a"].record)
    assert seen == [None, PAUSED]
