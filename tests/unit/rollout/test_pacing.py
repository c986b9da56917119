"""When the next look is due."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.aws.service_events import EventKind
from orchestrator.engine.retry import JITTER
from orchestrator.local.laws.rate_rows import rates_of
from orchestrator.rollout import pacing
from orchestrator.rollout.pacing import next_look
from orchestrator.rollout.timeline import Expectation

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CHECKS = st.builds(HealthCheck, interval=st.integers(5, 300), healthy=st.integers(2, 10), unhealthy=st.just(10))
MARKS = st.sampled_from([EventKind.STARTED, EventKind.REGISTERED, EventKind.DRAINING])


@given(
    expected=st.none() | st.floats(0.1, 3600, allow_nan=False),
    start=st.floats(0, 3600, allow_nan=False),
    check=st.none() | CHECKS,
    mark=MARKS,
)
def test_no_minute_has_more_looks_than_the_budget(
    expected: float | None, start: float, check: HealthCheck | None, mark: EventKind
) -> None:
    elapsed, looks = start, 0
    while elapsed < start + 60:
        elapsed += next_look(elapsed, Expectation(BEGAN, expected, mark), check)
        looks += 1
    assert looks <= pacing.BUDGET


@pytest.mark.parametrize("expected", [12.0, 20.0, 27.0, 300.0])
def test_looks_are_dense_around_the_expected_moment_only(expected: float) -> None:
    """As long as it takes what it took the last time, the last look is near: 2.5 % of it, and few came before."""
    elapsed, looks = 0.0, 0
    while elapsed < expected:
        elapsed += next_look(elapsed, Expectation(BEGAN, expected), None)
        looks += 1
    assert elapsed - expected <= max(pacing.DENSEST, 0.025 * expected)
    assert looks <= 10 + expected / pacing.SPARSEST


@given(check=CHECKS)
def test_no_target_is_good_before_its_checks_were_and_few_looks_are_wasted_on_it(check: HealthCheck) -> None:
    stage, elapsed, looks = Expectation(BEGAN, None, EventKind.REGISTERED), 0.0, 0
    while elapsed < check.interval * check.healthy:
        elapsed += next_look(elapsed, stage, check)
        looks += 1
    late = elapsed - check.interval * check.healthy
    assert late <= pacing.DENSEST + pacing.AFTER_A_CHECK, "it is looked for when it can come"
    assert looks <= 8 + elapsed / pacing.SPARSEST_AT_FIRST


@given(check=CHECKS, later=st.integers(0, 3))
def test_it_is_looked_for_after_each_further_check(check: HealthCheck, later: int) -> None:
    stage, elapsed = Expectation(BEGAN, None, EventKind.REGISTERED), 0.0
    good = check.interval * (check.healthy + later)
    while elapsed < good:
        elapsed += next_look(elapsed, stage, check)
    assert elapsed - good <= pacing.DENSEST + pacing.AFTER_A_CHECK


@given(check=CHECKS, starts=st.floats(1, 300))
def test_that_a_task_was_registered_is_learned_before_its_first_check(check: HealthCheck, starts: float) -> None:
    stage, elapsed = Expectation(BEGAN), 0.0
    while elapsed < starts:
        elapsed += next_look(elapsed, stage, check)
    assert elapsed - starts < check.interval


def test_a_long_pause_ends_in_time_whatever_its_jitter() -> None:
    stage, check = Expectation(BEGAN, None, EventKind.REGISTERED), HealthCheck(interval=60, healthy=2, unhealthy=10)
    pause = next_look(95, stage, check)
    assert 0.9 * 25 < pause * (1 + JITTER) <= 25 + pacing.AFTER_A_CHECK


def test_what_another_application_drains_is_not_timed_by_checks() -> None:
    check = HealthCheck(interval=300, healthy=2, unhealthy=10)
    drains = Expectation(BEGAN, None, EventKind.DRAINING)
    assert next_look(30, drains, check) == next_look(30, Expectation(BEGAN), None) == 3


@pytest.mark.parametrize("services", [1, 40, 75, 200, 500])
def test_looks_at_many_services_take_half_of_the_rates_at_most(services: int) -> None:
    """What the local cloud refuses beyond, which are AWS's own figures."""
    of_ten = rates_of("ecs", "DescribeServices")[0].refill
    of_each = rates_of("elbv2", "DescribeTargetHealth")[0].refill
    assert math.ceil(services / 10) / pacing.least(services) <= of_ten / 2
    assert services / pacing.period(services, 15.0) <= of_each / 2


def test_few_services_are_looked_at_as_ever() -> None:
    assert pacing.least(40) <= pacing.DENSEST
    assert pacing.period(75, 15.0) == 15.0
