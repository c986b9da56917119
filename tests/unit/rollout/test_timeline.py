"""What a service's events tell, and when the next look is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.ecs import Deployment, Service
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.rollout import timeline

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def deployment(
    identity: str = "ecs-svc/2", created: float = 0, state: str = "IN_PROGRESS", reason: str = ""
) -> Deployment:
    return Deployment(identity, "PRIMARY", state, reason, "td:1", 1, 1, 0, at(created))


def service(*happened: tuple[float, str], primary: Deployment | None = None) -> Service:
    """With events given as seconds and text, oldest first."""
    events = tuple(ServiceEvent(at(seconds), f"(service s) {text}") for seconds, text in reversed(happened))
    return Service("s", "ACTIVE", 1, 1, 0, (primary or deployment(),), happened=events)


EARLIER = (
    (0, "has started 1 tasks: (task a)."),
    (10, "registered 1 targets in (target-group tg)"),
    (30, "has begun draining connections on 1 tasks."),
    (31, "deregistered 1 targets in (target-group tg)"),
    (60, "(deployment ecs-svc/1) deployment completed."),
    (60, "has reached a steady state."),
)


ROOM = "was unable to place a task. Reason: Capacity is unavailable at this time."


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        ((), ""),
        (((1, ROOM),), f"(service s) {ROOM}"),
        (((1, ROOM), (31, "has started 1 tasks: (task a).")), ""),
        (((1, "has started 1 tasks: (task a)."), (40, ROOM)), f"(service s) {ROOM}"),
        (((-1, ROOM),), ""),
    ],
)
def test_there_is_no_room_until_a_task_was_started(happened: tuple[tuple[float, str], ...], said: str) -> None:
    assert timeline.unplaced(service(*happened), deployment()) == said


@pytest.mark.parametrize(
    ("now", "since", "seconds"),
    [
        ((), 100, 60),
        (((101, "has started 1 tasks: (task b)."),), 101, 60),
        (((101, "has started 1 tasks: (task b)."), (112, "registered 1 targets in (target-group tg)")), 112, 50),
        (((131, "has begun draining connections on 1 tasks."), (132, "deregistered 1 targets in (tg)")), 131, 30),
    ],
)
def test_each_stage_is_expected_to_last_as_it_did_the_last_time(
    now: tuple[tuple[float, str], ...], since: float, seconds: float
) -> None:
    primary = deployment(created=100)
    older = replace(deployment("ecs-svc/1"), status="ACTIVE")
    seen = replace(service(*EARLIER, *now, primary=primary), deployments=(primary, older))
    expected = timeline.expectation(seen, primary)
    assert (expected.since, expected.seconds) == (at(since), seconds)


@pytest.mark.parametrize(
    ("now", "since", "seconds"),
    [
        ((), 100, 30),
        (((112, "registered 1 targets in (target-group tg)"),), 112, 20),
        (((131, "has begun draining connections on 1 tasks."),), 131, 30),
    ],
)
def test_where_no_older_task_runs_nothing_has_to_drain(
    now: tuple[tuple[float, str], ...], since: float, seconds: float
) -> None:
    primary = deployment(created=100)
    expected = timeline.expectation(service(*EARLIER, *now, primary=primary), primary)
    assert (expected.since, expected.seconds) == (at(since), seconds)


def test_the_draining_of_other_tasks_tells_nothing_of_these() -> None:
    """The newest rollout drained nothing; a crash before it did."""
    crashed = ((0, "has begun draining connections on 1 tasks."), (1, "has started 1 tasks: (task a)."))
    primary = deployment(created=100)
    now = ((101, "has begun draining connections on 1 tasks."),)
    seen = service(*crashed, (50, "has reached a steady state."), *now, primary=primary)
    assert timeline.expectation(seen, primary).seconds is None


def test_without_an_earlier_rollout_nothing_is_expected() -> None:
    primary = deployment()
    found = timeline.expectation(service((1, "has started 1 tasks: (task a)."), primary=primary), primary)
    assert found == timeline.Expectation(at(1), None)


def test_more_launches_than_desired_tell_of_tasks_that_ended() -> None:
    primary = deployment(created=100)
    seen = service(*EARLIER, (101, "has started 1 tasks: (task b)."), (140, "has started 2 tasks: (task c) (task d)."))
    assert timeline.launched(seen, primary) == 3


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("(task a) (port 80) is unhealthy in (target-group tg) due to (reason Health checks failed)", 1),
        ("was unable to place a task because no container instance met all of its requirements.", 1),
        ("is unable to consistently start tasks successfully.", 1),
        ("(deployment ecs-svc/2) deployment failed: tasks failed to start.", 1),
        ("has stopped 1 running tasks: (task a).", 0),
        ("has reached a steady state.", 0),
    ],
)
def test_trouble(text: str, counts: int) -> None:
    assert timeline.troubles(service((5, text)), deployment()) == counts


def test_peace_begins_with_the_newest_task_and_is_not_broken_by_the_old_ones_leaving() -> None:
    assert timeline.unchanged_since(service(*EARLIER), deployment()) == at(10)
    assert timeline.unchanged_since(service(), deployment(created=7)) == at(7)


def test_start_up_is_measured_from_the_target_to_its_first_good_sign() -> None:
    assert timeline.start_up(service(*EARLIER).happened) == 20
    crashed = service(
        (0, "registered 1 targets in (tg)"), (5, "has started 1 tasks: (task b)."), (9, "has reached a steady state.")
    )
    assert timeline.start_up(crashed.happened) is None


@given(
    expected=st.none() | st.floats(0.1, 3600, allow_nan=False),
    start=st.floats(0, 3600, allow_nan=False),
)
def test_no_minute_has_more_looks_than_the_budget(expected: float | None, start: float) -> None:
    elapsed, looks = start, 0
    while elapsed < start + 60:
        elapsed += timeline.next_look(elapsed, expected)
        looks += 1
    assert looks <= timeline.BUDGET


@pytest.mark.parametrize("expected", [12.0, 20.0, 27.0, 300.0])
def test_looks_are_dense_around_the_expected_moment_only(expected: float) -> None:
    """As long as it takes what it took the last time, the last look is near: 2.5 % of it, and few came before."""
    elapsed, looks = 0.0, 0
    while elapsed < expected:
        elapsed += timeline.next_look(elapsed, expected)
        looks += 1
    assert elapsed - expected <= max(timeline.DENSEST, 0.025 * expected)
    assert looks <= 10 + expected / timeline.SPARSEST


@given(interval=st.floats(5, 300), healthy=st.integers(2, 10))
def test_no_target_is_good_before_its_checks_were_and_few_looks_are_wasted_on_it(interval: float, healthy: int) -> None:
    earliest, elapsed, looks = interval * healthy, 0.0, 0
    while elapsed < timeline.JUST_BEFORE * earliest:
        elapsed += timeline.next_look(elapsed, None, earliest)
        looks += 1
    assert elapsed <= timeline.JUST_BEFORE * earliest + timeline.DENSEST, "it is looked for when it can come"
    assert looks <= 10 + earliest / timeline.SPARSEST


def test_what_is_waited_for_is_the_load_balancer_once_the_task_is_registered() -> None:
    primary = deployment()
    started = (1, "has started 1 tasks: (task a).")
    seen = service(started, (12, "registered 1 targets in (target-group tg)"), primary=primary)
    assert timeline.expectation(seen, primary) == timeline.Expectation(at(12), None, checked=True)
    assert not timeline.expectation(service(started, primary=primary), primary).checked
