"""Native deployment strategies, breakers and early success as pure functions."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.local.ecs import strategy
from orchestrator.local.ecs.rollout import (
    TaskCounts,
    breaker_threshold,
    forgives,
    is_early_success,
    is_stuck,
    to_launch,
    to_retire,
)
from orchestrator.local.ecs.strategy import TrafficStep, objections, stages, time_out, traffic_steps

ADVANCED = {"targetGroupArn": "a", "advancedConfiguration": {"alternateTargetGroupArn": "b"}}
PLAIN = {"targetGroupArn": "a"}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"strategy": "BLUE_GREEN"}, [TrafficStep(100.0)]),
        ({"strategy": "CANARY"}, [TrafficStep(5.0, 600.0), TrafficStep(100.0)]),
        (
            {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 1}},
            [TrafficStep(20.0, 60.0), TrafficStep(100.0)],
        ),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 100.0}}, [TrafficStep(100.0)]),
        (
            {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 2}},
            [TrafficStep(40.0, 120.0), TrafficStep(80.0, 120.0), TrafficStep(100.0)],
        ),
        (
            {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": 0}},
            [TrafficStep(50.0), TrafficStep(100.0)],
        ),
    ],
)
def test_traffic_is_shifted_in_steps(configuration: dict[str, Any], expected: list[TrafficStep]) -> None:
    """The last one is always all of it, after which only the deployment's own bake time counts."""
    assert list(traffic_steps(configuration)) == expected


def test_linear_steps_are_ten_percent_by_default() -> None:
    steps = traffic_steps({"strategy": "LINEAR"})
    assert [one.percent for one in steps] == [10.0 * number for number in range(1, 11)]
    assert {one.bake for one in steps[:-1]} == {360.0}


def test_other_active_revisions_are_reconciled_first() -> None:
    assert stages(others_active=True) == ("RECONCILE_SERVICE", *stages(others_active=False))


def test_a_hook_that_says_nothing_else_waits_for_a_day_and_goes_back() -> None:
    assert time_out({"targetType": "PAUSE"}) == (86400.0, "ROLLBACK")
    given = {"timeoutConfiguration": {"timeoutInMinutes": 10, "action": "CONTINUE"}}
    assert time_out(given) == (600.0, "CONTINUE")


@pytest.mark.parametrize(
    ("configuration", "controller", "balancers", "refusal"),
    [
        ({}, "ECS", [PLAIN], ""),
        ({"strategy": "BLUE_GREEN"}, "ECS", [ADVANCED], ""),
        ({"strategy": "BLUE_GREEN"}, "ECS", [], ""),
        ({"strategy": "BLUE_GREEN"}, "ECS", [PLAIN], "advancedConfiguration is required"),
        ({"strategy": "LINEAR"}, "CODE_DEPLOY", [ADVANCED], "only supported with the ECS deployment controller"),
        (
            {"strategy": "CANARY", "earlySuccessCriteria": {"enable": True, "healthyPercent": 50}},
            "ECS",
            [ADVANCED],
            "ROLLING",
        ),
        (
            {"minimumHealthyPercent": 100, "earlySuccessCriteria": {"enable": True, "healthyPercent": 50}},
            "ECS",
            [PLAIN],
            "minimumHealthyPercent",
        ),
        (
            {"minimumHealthyPercent": 50, "earlySuccessCriteria": {"enable": True, "healthyPercent": 50}},
            "ECS",
            [PLAIN],
            "",
        ),
        (
            {"strategy": "BLUE_GREEN", "lifecycleHooks": [{"targetType": "AWS_LAMBDA", "lifecycleStages": []}]},
            "ECS",
            [],
            "hookTargetArn",
        ),
        ({"strategy": "BLUE_GREEN", "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": []}]}, "ECS", [], ""),
    ],
)
def test_what_ecs_refuses(
    configuration: dict[str, Any], controller: str, balancers: list[dict[str, Any]], refusal: str
) -> None:
    found = objections(configuration, controller, balancers)
    assert bool(found) == bool(refusal)
    assert refusal in found


@pytest.mark.parametrize(
    ("given", "desired", "expected"),
    [
        ({}, 1, 3),
        ({}, 20, 10),
        ({}, 1000, 200),
        ({"type": "COUNT", "value": 1}, 50, 1),
        ({"type": "BOUNDED_PERCENT", "value": 10}, 100, 10),
        ({"type": "BOUNDED_PERCENT", "value": 10}, 10, 3),
        ({"type": "UNBOUNDED_PERCENT", "value": 10}, 10, 1),
        ({"type": "UNBOUNDED_PERCENT", "value": 100}, 500, 500),
    ],
)
def test_the_breakers_threshold_can_be_set(given: dict[str, Any], desired: int, expected: int) -> None:
    configuration = {"deploymentCircuitBreaker": {"thresholdConfiguration": given} if given else {}}
    assert breaker_threshold(desired, configuration) == expected


def test_a_healthy_task_resets_the_breakers_count_unless_it_is_told_not_to() -> None:
    assert forgives({})
    assert forgives({"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    assert not forgives({"deploymentCircuitBreaker": {"resetOnHealthyTask": False}})


@pytest.mark.parametrize(
    ("given", "counts", "expected"),
    [
        ({}, TaskCounts(4, 0, 4, 0), False),
        ({"enable": False, "healthyPercent": 50}, TaskCounts(4, 0, 4, 0), False),
        ({"enable": True, "healthyPercent": 50}, TaskCounts(2, 2, 2, 0), True),
        ({"enable": True, "healthyPercent": 50}, TaskCounts(2, 2, 1, 0), False),
        ({"enable": True, "healthyPercent": 50}, TaskCounts(2, 2, 2, 3), False),
        (
            {"enable": True, "healthyPercent": 50, "sourceServiceRevisionCleanup": "DEFERRED"},
            TaskCounts(2, 2, 2, 3),
            True,
        ),
    ],
)
def test_success_comes_early_where_that_is_asked_for(
    given: dict[str, Any], counts: TaskCounts, *, expected: bool
) -> None:
    assert is_early_success({"earlySuccessCriteria": given}, 4, counts) is expected


@pytest.mark.parametrize(
    ("desired", "least", "most", "stuck"), [(1, 100, 100, True), (2, 50, 100, False), (1, 100, 200, False)]
)
def test_a_deployment_that_can_never_begin(desired: int, least: int, most: int, *, stuck: bool) -> None:
    """Neither may a new task start, nor an old one stop."""
    limits = {"minimum_percent": least, "maximum_percent": most}
    assert is_stuck(desired=desired, alive=desired, **limits) is stuck
    launched = to_launch(desired=desired, maximum_percent=most, ours=0, alive=desired)
    retired = to_retire(desired=desired, minimum_percent=least, healthy_ours=0, healthy_old=desired, sick_old=0)
    assert (launched == retired == 0) is stuck


def test_hooks_run_at_their_stages() -> None:
    pause = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT"]}
    configuration = {"lifecycleHooks": [pause]}
    assert [bool(strategy.hooks_at(configuration, one)) for one in ("POST_SCALE_UP", "SCALE_UP")] == [True, False]
    assert strategy.pauses(pause)
    assert not strategy.pauses({"hookTargetArn": "arn"})
