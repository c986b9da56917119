"""What a service's events tell, and when the next look is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.aws.ecs import Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.aws.service_events import EventKind, ServiceEvent
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


def test_what_is_waited_for_is_the_load_balancer_once_the_task_is_registered() -> None:
    primary = deployment()
    started = (1, "has started 1 tasks: (task a).")
    seen = service(started, (12, "registered 1 targets in (target-group tg)"), primary=primary)
    assert timeline.expectation(seen, primary) == timeline.Expectation(at(12), None, EventKind.REGISTERED)
    assert not timeline.expectation(service(started, primary=primary), primary).checked


def test_where_no_event_tells_of_a_target_the_checks_begin_when_the_task_runs() -> None:
    primary = deployment()
    started = service((1, "has started 1 tasks: (task a)."), primary=primary)
    again = service((1, "has started 1 tasks: (task a)."), (20, "has started 1 tasks: (task b)."), primary=primary)
    told = service((1, "has started 1 tasks: (task a)."), (9, "registered 1 targets in (tg)"), primary=primary)
    assert timeline.expectation(started, primary, at(12)) == timeline.Expectation(at(12), None, EventKind.REGISTERED)
    assert timeline.expectation(again, primary, at(12)) == timeline.Expectation(at(20), None, EventKind.STARTED)
    assert timeline.expectation(told, primary, at(12)) == timeline.Expectation(at(9), None, EventKind.REGISTERED)


@pytest.mark.parametrize(
    ("mark", "seconds", "check", "late_after"),
    [
        (EventKind.STARTED, None, None, 15),
        (EventKind.STARTED, None, HealthCheck(interval=5, healthy=2, unhealthy=10), timeline.LAUNCHING),
        (EventKind.REGISTERED, None, HealthCheck(interval=5, healthy=2, unhealthy=10), 5 * 3 + timeline.SPREAD),
        (EventKind.REGISTERED, None, HealthCheck(interval=300, healthy=10, unhealthy=10), 450),
        (EventKind.REGISTERED, None, None, 15),
        (EventKind.DRAINING, None, HealthCheck(interval=5, healthy=2, unhealthy=10), 15),
        (EventKind.STARTED, 100.0, HealthCheck(interval=5, healthy=2, unhealthy=10), 125),
        (EventKind.STARTED, 4.0, None, 15),
    ],
)
def test_late(mark: EventKind, seconds: float | None, check: HealthCheck | None, late_after: float) -> None:
    stage = timeline.Expectation(at(0), seconds, mark)
    late = [stage.is_late(at(late_after + more), 15, check, most=450) for more in (-0.1, 0.1)]
    assert late == [False, True]


def test_a_task_that_fails_its_checks_is_given_up_before_it_has_drained() -> None:
    sick = (20, "(task 7f) (port 80) is unhealthy in (target-group tg) due to (reason Health checks failed).")
    seen = service((1, "has started 1 tasks: (task 7f)."), sick, (200, "has reached a steady state."))
    task = Task("arn:task/7f", "ecs-svc/2", "td:1", "STOPPED", stopping_at=at(320), stopped_at=at(340))
    assert timeline.given_up_at(seen, deployment(), task) == at(20)
    assert timeline.given_up_at(seen, deployment(), replace(task, arn="arn:task/8a")) == at(320)
    assert timeline.given_up_at(service(), deployment(), replace(task, stopping_at=None, stopped_at=None)) is None
