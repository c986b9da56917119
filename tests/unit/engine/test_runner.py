"""The loop, on scripted worlds and a virtual clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Ending, Report, survey
from orchestrator.engine.step import STACK, Blocked, Done, Todo, Verdict, Wait, nothing_to_apply
from orchestrator.errors import (
    Outcome,
    Problem,
    Transient,
)
from orchestrator.events import StepDone, StepFailed, StepWaiting
from tests.unit.engine.worlds import VirtualClock, World, a_step, apply, go, observe, settle


def test_what_is_true_is_left_alone() -> None:
    world = World(up={"a", "b"})
    endings, _ = settle(a_step(), world)
    assert (world.looks, world.applied) == (1, [])
    assert {ending.outcome for ending in endings.values()} == {Outcome.SUCCEEDED}


def test_all_subjects_are_changed_in_one_apply_and_seen_again() -> None:
    world = World()
    endings, events = settle(a_step(), world)
    assert world.applied == [("a", "b")]
    assert [ending.changed for ending in endings.values()] == [1, 1]
    assert [event.changed for event in events if isinstance(event, StepDone)] == [1, 1]


def test_a_change_that_is_not_visible_yet_is_waited_for_and_never_sent_twice() -> None:
    world = World(lag=5)
    clock = VirtualClock()
    settle(a_step(poll=7), world, clock)
    assert world.applied == [("a", "b")]
    assert clock.seconds >= 4 * 7


def test_one_broken_tenant_does_not_stop_the_other() -> None:
    world = World(broken={"a"})
    endings, events = settle(a_step(), world)
    assert endings["a"].outcome is Outcome.FAILED
    assert endings["b"].outcome is Outcome.SUCCEEDED
    assert [event.code for event in events if isinstance(event, StepFailed)] == ["broken"]


def test_a_deadline_names_what_was_waited_for() -> None:
    waiting: Callable[[Any], Any] = lambda _facts: {"a": Wait("it boots", "slow-boot", "look at it")}  # noqa: E731
    clock = VirtualClock()
    endings, events = settle(a_step(decide=waiting, apply=nothing_to_apply, timeout=60), World(), clock)
    assert endings["a"].outcome is Outcome.TIMED_OUT
    assert clock.seconds == pytest.approx(60)
    failed = [event for event in events if isinstance(event, StepFailed)]
    assert [(event.code, event.fix) for event in failed] == [("slow-boot", "look at it")]
    assert any(isinstance(event, StepWaiting) and event.until for event in events)


def test_a_change_never_seen_times_out_as_such() -> None:
    endings, _ = settle(a_step(timeout=30), World(lag=10_000))
    assert {ending.problem.code for ending in endings.values() if ending.problem} == {"change-not-visible"}


def test_an_unchanged_wait_is_said_again_only_after_a_while() -> None:
    waiting: Callable[[Any], Any] = lambda _facts: {"a": Wait("it boots")}  # noqa: E731
    _, events = settle(a_step(decide=waiting, apply=nothing_to_apply, timeout=60, poll=1), World())
    assert 2 <= sum(isinstance(event, StepWaiting) for event in events) <= 6


def test_a_transient_error_is_looked_at_again() -> None:
    failures = [Transient(Problem("throttled", "slow down"))] * 3

    def flaky(world: World) -> dict[str, str]:
        if failures:
            raise failures.pop()
        return observe(world)

    endings, _ = settle(a_step(observe=flaky), World(up={"a", "b"}))
    assert endings["a"].outcome is Outcome.SUCCEEDED


def test_who_looks_again_says_why_and_until_when() -> None:
    failures = [Transient(Problem("throttled", "slow down"))] * 3

    def flaky(world: World) -> dict[str, str]:
        if failures:
            raise failures.pop()
        return observe(world)

    _, events = settle(a_step(observe=flaky), World(up={"a", "b"}))
    (waiting,) = [event for event in events if isinstance(event, StepWaiting)]
    assert waiting.detail == "slow down; looking again"
    assert waiting.until


def test_a_transient_error_that_stays_times_out() -> None:
    def flaky(_world: World) -> dict[str, str]:
        raise Transient(Problem("throttled", "slow down"))

    endings, _ = settle(a_step(observe=flaky, timeout=30), World())
    assert endings[STACK].outcome is Outcome.TIMED_OUT


def test_a_transient_apply_is_sent_again() -> None:
    world, failures = World(), [Transient(Problem("throttled", "slow down"))]

    def flaky(context: World, todos: Mapping[str, Todo]) -> None:
        if failures:
            raise failures.pop()
        apply(context, todos)

    endings, _ = settle(a_step(apply=flaky), world)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert endings["a"].changed == 1


def test_a_tenant_that_failed_is_left_out_downstream() -> None:
    world = World(broken={"a"})
    seen: list[tuple[str, ...]] = []
    later = a_step(
        "later",
        needs=("step",),
        decide=lambda _facts: {who: Todo("go") for who in ("a", "b")} if not seen else {"a": Done(""), "b": Done("")},
        apply=lambda _world, todos: seen.append(tuple(todos)),
    )
    report = go([a_step(), later], world)
    assert seen == [("b",)]
    assert "a" not in report.endings["later"]
    assert report.outcome is Outcome.FAILED


@pytest.mark.parametrize(("lost", "left"), [("a", {"b"}), ("a/background", {"a", "b"})])
def test_what_failed_for_a_tenant_failed_for_its_services_and_never_the_other_way(lost: str, left: set[str]) -> None:
    subjects = ("a", "a/background", "b")

    def first(_facts: Any) -> Mapping[str, Verdict]:
        broken = Blocked(Problem("broken", "it is", lost, "mend it"))
        return {one: broken if one == lost else Done("there") for one in subjects}

    def second(_facts: Any) -> Mapping[str, Verdict]:
        return dict.fromkeys(subjects, Done("up"))

    steps = [
        a_step("first", decide=first, apply=nothing_to_apply),
        a_step("second", decide=second, apply=nothing_to_apply, needs=("first",)),
    ]
    report = go(steps, World())
    assert report.endings["second"].keys() == left


def test_who_asks_for_a_tenant_asks_for_all_of_its_services() -> None:
    every = dict.fromkeys(("a", "a/background", "b"), Done("up"))
    report = go([a_step(decide=lambda _facts: every, apply=nothing_to_apply)], World(), subjects={"a"})
    assert set().union(*report.endings.values()) == {"a", "a/background"}


def test_a_step_is_not_begun_when_the_stack_failed_before_it() -> None:
    blocked = a_step("first", decide=lambda _facts: {STACK: Blocked(Problem("gone", "gone"))})
    world = World()
    report = go([blocked, a_step("second", needs=("first",)), a_step("third", needs=("second",))], world)
    assert world.applied == []
    assert report.endings["third"] == {}


def test_a_need_that_was_not_asked_for_counts_as_true() -> None:
    assert go([a_step("second", needs=("first",))], World()).outcome is Outcome.SUCCEEDED


def test_independent_steps_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(_world: Any) -> None:
        meeting.wait()

    steps = [a_step(name, observe=meet, decide=lambda _facts: {STACK: Done("met")}) for name in ("left", "right")]
    assert go(steps, None).outcome is Outcome.SUCCEEDED


def test_only_the_tenants_asked_for_are_changed() -> None:
    world = World()
    go([a_step()], world, subjects={"b"})
    assert world.applied == [("b",)]


def test_a_survey_changes_nothing() -> None:
    world = World(broken={"a"})
    verdicts = survey([a_step()], world)
    assert world.applied == []
    assert verdicts["step"]["b"] == Todo("start")


@pytest.mark.parametrize(
    ("seen", "worst"),
    [
        ({Outcome.SUCCEEDED}, Outcome.SUCCEEDED),
        ({Outcome.REFUSED, Outcome.SUCCEEDED}, Outcome.REFUSED),
        ({Outcome.REFUSED, Outcome.FAILED}, Outcome.FAILED),
        ({Outcome.TIMED_OUT, Outcome.REFUSED}, Outcome.REFUSED),
        ({Outcome.TIMED_OUT, Outcome.FAILED}, Outcome.FAILED),
    ],
)
def test_the_worst_ending_is_the_runs(seen: set[Outcome], worst: Outcome) -> None:
    endings = {outcome.word: Ending(outcome, "") for outcome in seen}
    assert Report({"step": endings}).outcome is worst


@given(
    lag=st.integers(0, 30),
    broken=st.sets(st.sampled_from("abc")),
    up=st.sets(st.sampled_from("abc")),
    timeout=st.integers(1, 100),
)
def test_whatever_the_world_a_run_ends_and_never_claims_more_than_is_true(
    lag: int, broken: set[str], up: set[str], timeout: int
) -> None:
    world = World(tenants=("a", "b", "c"), up=set(up) - broken, broken=broken, lag=lag)
    clock = VirtualClock()
    endings, _ = settle(a_step(timeout=timeout), world, clock)
    assert set(endings) == {"a", "b", "c"}
    assert clock.seconds <= timeout
    for tenant, ending in endings.items():
        assert (ending.outcome is Outcome.SUCCEEDED) == (tenant in world.up and tenant not in broken)
    sent = [who for batch in world.applied for who in batch]
    assert len(sent) == len(set(sent))


def migrating(steps: int, seconds: float) -> Callable[[VirtualClock], AnyStep]:
    """A migration of so many revisions, each taking so long; the service is up after the last one."""

    def step(clock: VirtualClock) -> AnyStep:
        def verdict(_facts: Any) -> dict[str, Verdict]:
            done = int(clock.seconds / seconds)
            return {"a": Done("up") if done > steps else Wait("it migrates", "slow", progress=f"revision-{done}")}

        return a_step(observe=lambda _world: None, decide=verdict, apply=nothing_to_apply, timeout=60, poll=1)

    return step


def test_progress_moves_the_deadline() -> None:
    clock = VirtualClock()
    endings, events = settle(migrating(steps=10, seconds=50)(clock), World(), clock)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert clock.seconds > 10 * 50
    said = {event.until for event in events if isinstance(event, StepWaiting)}
    assert len(said) > 10, "whoever watches sees the deadline move"


def test_progress_slower_than_the_steps_timeout_is_silence() -> None:
    clock = VirtualClock()
    endings, _ = settle(migrating(steps=10, seconds=80)(clock), World(), clock)
    assert endings["a"].outcome is Outcome.TIMED_OUT
    assert clock.seconds == pytest.approx(60)


def test_progress_ends_with_the_run() -> None:
    clock = VirtualClock()
    endings, _ = settle(migrating(steps=10, seconds=50)(clock), World(), clock, deadline=120.0)
    assert endings["a"].outcome is Outcome.TIMED_OUT
    assert clock.seconds == pytest.approx(120)


def test_going_back_and_forth_is_no_progress() -> None:
    clock = VirtualClock()
    swinging: Callable[[Any], Any] = lambda _facts: {"a": Wait("?", progress=str(int(clock.seconds / 10) % 2))}  # noqa: E731
    endings, _ = settle(a_step(decide=swinging, apply=nothing_to_apply, timeout=60, poll=1), World(), clock)
    assert endings["a"].outcome is Outcome.TIMED_OUT
    assert clock.seconds < 60 + 20


@pytest.mark.parametrize(
    ("outcome", "code", "needed"),
    [
        (Outcome.SUCCEEDED, "", False),
        (Outcome.FAILED, "database-unreachable", True),
        (Outcome.TIMED_OUT, "runner-offline", True),
        (Outcome.REFUSED, "dns-foreign-record", False),
        (Outcome.INTERRUPTED, "interrupted", False),
        (Outcome.TIMED_OUT, "aws-unreachable", False),
        (Outcome.TIMED_OUT, "throttled", False),
    ],
)
def test_a_doctor_is_called_where_the_cause_may_be_elsewhere(outcome: Outcome, code: str, needed: bool) -> None:
    fine = {"a": Ending(Outcome.SUCCEEDED, "")}
    ended = {STACK: Ending(outcome, "", Problem(code, "") if code else None)}
    assert Report({"one": fine, "two": ended}).needs_a_doctor is needed
