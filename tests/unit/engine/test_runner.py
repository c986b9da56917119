"""The loop, on scripted worlds and a virtual clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Ending, Limits, Report, run, run_step, survey
from orchestrator.engine.step import STACK, Blocked, Done, Step, Todo, Verdict, Wait, nothing_to_apply
from orchestrator.engine.unconfirmed import LOOKS
from orchestrator.errors import (
    Expired,
    Interrupted,
    OrchestratorError,
    Outcome,
    PartlyFailed,
    Problem,
    Refused,
    Transient,
    Unheard,
)
from orchestrator.events import Event, FindingReported, StepDone, StepFailed, StepWaiting


@dataclass
class VirtualClock:
    """Time passes only by sleeping."""

    seconds: float = 0.0
    interrupt_at: float = float("inf")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.seconds += seconds
        if self.seconds >= self.interrupt_at:
            raise Interrupted(Problem("interrupted", "stopped"))


@dataclass
class World:
    """A tenant is up after `lag` looks that follow its change; `broken` ones never are."""

    tenants: tuple[str, ...] = ("a", "b")
    up: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    lag: int = 0
    looks: int = 0
    applied: list[tuple[str, ...]] = field(default_factory=list)
    visible_at: dict[str, int] = field(default_factory=dict)


def observe(world: World) -> dict[str, str]:
    world.looks += 1
    world.up |= {who for who, look in world.visible_at.items() if world.looks > look}
    return {who: "broken" if who in world.broken else "up" if who in world.up else "down" for who in world.tenants}


def decide(facts: Mapping[str, str]) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {
        "up": Done("up"),
        "down": Todo("start"),
        "broken": Blocked(Problem("broken", "it is broken", fix="mend it")),
    }
    return {who: verdicts[state] for who, state in facts.items()}


def apply(world: World, todos: Mapping[str, Todo]) -> None:
    world.applied.append(tuple(sorted(todos)))
    world.visible_at |= dict.fromkeys(todos, world.looks + world.lag)


def a_step(name: str = "step", **changes: Any) -> AnyStep:
    kind: dict[str, Any] = {"observe": observe, "decide": decide, "apply": apply, "title": name, **changes}
    return Step(id=name, **kind)


def settle(step: AnyStep, world: Any, clock: VirtualClock | None = None, **more: Any) -> tuple[Any, list[Event]]:
    events: list[Event] = []
    endings = run_step(step, world, clock=clock or VirtualClock(), emit=events.append, limits=Limits(), **more)
    return endings, events


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


ENDED = Problem("credentials-expired", "the session has ended", "", "sign in again")


@pytest.mark.parametrize(
    ("renewal", "looks", "outcome", "seconds"),
    [(0.0, 1, Outcome.EXPIRED, 0.0), (60.0, 4, Outcome.SUCCEEDED, 5.0), (60.0, 1000, Outcome.EXPIRED, 60.0)],
    ids=["nobody can sign in", "somebody signs in", "nobody does"],
)
def test_who_waits_goes_on_when_somebody_signs_in(renewal: float, looks: int, outcome: Outcome, seconds: float) -> None:
    left = [Expired(ENDED)] * looks

    def late(world: World) -> dict[str, str]:
        if left:
            raise left.pop()
        return observe(world)

    clock = VirtualClock()
    events: list[Event] = []
    limits = Limits(renewal=lambda: renewal)
    endings = run_step(
        a_step(observe=late, timeout=600), World(up={"a", "b"}), clock=clock, emit=events.append, limits=limits
    )
    assert {ending.outcome for ending in endings.values()} == {outcome}
    assert clock.seconds >= seconds
    said = [event.detail for event in events if isinstance(event, StepWaiting)]
    assert any("this run goes on" in detail for detail in said) is bool(renewal)


def test_credentials_that_end_outrank_what_else_failed_and_call_no_doctor() -> None:
    ended = {"a": Ending(Outcome.EXPIRED, "", ENDED), "b": Ending(Outcome.FAILED, "")}
    report = Report({"services": ended})
    assert (report.outcome, report.needs_a_doctor) == (Outcome.EXPIRED, False)


@pytest.mark.parametrize("kind", [OrchestratorError, Refused])
def test_a_hopeless_error_stops_at_once(kind: type[OrchestratorError]) -> None:
    def denied(_world: World) -> dict[str, str]:
        raise kind(Problem("access-denied", "no"))

    clock = VirtualClock()
    endings, _ = settle(a_step(observe=denied), World(), clock)
    assert endings[STACK].outcome is kind.outcome
    assert clock.seconds == 0


def failing(failures: dict[str, list[OrchestratorError]]) -> Callable[[World, Mapping[str, Todo]], None]:
    """An apply that fails for some: with the next error of each until it has no more; the others' changes are made."""

    def flaky(context: World, todos: Mapping[str, Todo]) -> None:
        errors = {who: failures[who].pop(0) for who in todos if failures.get(who)}
        apply(context, {who: todo for who, todo in todos.items() if who not in errors})
        if errors:
            raise PartlyFailed(errors)

    return flaky


def test_a_change_that_fails_for_one_is_that_ones_failure() -> None:
    world = World(tenants=("a", "b", "c"))
    denied = Refused(Problem("access-denied", "b may not", fix="let it"))
    endings, events = settle(a_step(apply=failing({"b": [denied]})), world)
    assert {who: ending.outcome for who, ending in endings.items()} == {
        "a": Outcome.SUCCEEDED,
        "b": Outcome.REFUSED,
        "c": Outcome.SUCCEEDED,
    }
    assert [ending.changed for ending in endings.values() if ending.problem is None] == [1, 1]
    assert [(event.subject, event.code) for event in events if isinstance(event, StepFailed)] == [
        ("b", "access-denied")
    ]
    assert world.applied.count(("a", "c")) == 1, "and nothing is sent twice"


def test_a_change_that_may_pass_for_one_is_tried_again_for_that_one() -> None:
    throttled = Transient(Problem("throttled", "slow down"))
    world, clock = World(), VirtualClock()
    endings, events = settle(a_step(apply=failing({"a": [throttled] * 3})), world, clock)
    assert {ending.outcome for ending in endings.values()} == {Outcome.SUCCEEDED}
    assert [batch for batch in world.applied if batch] == [("b",), ("a",)]
    assert "slow down; looking again" in {event.detail for event in events if isinstance(event, StepWaiting)}
    assert clock.seconds >= 5, "who is throttled is not asked again at once"


def test_a_change_that_never_passes_times_out_for_its_own_reason() -> None:
    throttled = Transient(Problem("throttled", "slow down"))
    endings, _ = settle(a_step(apply=failing({"a": [throttled] * 1000}), timeout=60), World())
    assert endings["b"].outcome is Outcome.SUCCEEDED
    assert endings["a"].outcome is Outcome.TIMED_OUT
    assert endings["a"].problem is not None
    assert endings["a"].problem.code == "throttled"


def test_what_arrived_although_its_answer_was_lost_is_not_sent_again() -> None:
    def lost(world: World, todos: Mapping[str, Todo]) -> None:
        apply(world, todos)
        raise PartlyFailed({"a": Transient(Problem("aws-unreachable", "connection reset"))})

    world = World()
    endings, _ = settle(a_step(apply=lost), world)
    assert {ending.outcome for ending in endings.values()} == {Outcome.SUCCEEDED}
    assert world.applied == [("a", "b")]


def test_what_may_have_arrived_is_looked_for_before_it_is_sent_again() -> None:
    """The looks that follow are late: they show the world before the change."""

    def lost(world: World, todos: Mapping[str, Todo]) -> None:
        apply(world, todos)
        raise PartlyFailed({"a": Unheard(Problem("aws-unreachable", "connection reset"))})

    world = World(lag=4)
    endings, _ = settle(a_step(apply=lost), world)
    assert {ending.outcome for ending in endings.values()} == {Outcome.SUCCEEDED}
    assert world.applied == [("a", "b")]


def test_what_never_arrived_is_sent_again() -> None:
    unheard = Unheard(Problem("aws-unreachable", "connection reset"))
    world = World()
    endings, _ = settle(a_step(apply=failing({"a": [unheard]})), world)
    assert {ending.outcome for ending in endings.values()} == {Outcome.SUCCEEDED}
    assert world.applied == [("b",), ("a",)]
    assert world.looks > LOOKS


def test_a_request_to_stop_amid_changes_ends_the_run() -> None:
    stopped = Interrupted(Problem("interrupted", "stopped"))
    with pytest.raises(Interrupted):
        run([a_step(apply=failing({"b": [stopped]}))], World(), clock=VirtualClock(), emit=lambda _event: None)


def test_who_failed_in_a_change_is_left_out_downstream_and_the_others_are_not() -> None:
    seen: list[tuple[str, ...]] = []
    later = a_step(
        "later",
        needs=("step",),
        decide=lambda _facts: {who: Done("") if seen else Todo("go") for who in ("a", "b")},
        apply=lambda _world, todos: seen.append(tuple(todos)),
    )
    denied = OrchestratorError(Problem("access-denied", "no"))
    report = go([a_step(apply=failing({"a": [denied]})), later], World())
    assert seen == [("b",)]
    assert report.outcome is Outcome.FAILED


def test_what_is_about_all_is_not_begun_when_one_is_lost() -> None:
    """A backup without one tenant's part is none; nor is what relies on it begun."""
    world = World(broken={"a"})
    whole = a_step("whole", needs=("step",), whole=True, decide=lambda _facts: {STACK: Todo("seal it")})
    after = a_step("after", needs=("whole",))
    report = go([a_step(), whole, after], world)
    assert (report.endings["whole"], report.endings["after"]) == ({}, {})
    assert world.applied == [("b",)]


def test_findings_are_reported_once() -> None:
    step = a_step(findings=lambda _facts: [Problem("database-unowned", "kept")])
    _, events = settle(step, World())
    assert sum(isinstance(event, FindingReported) for event in events) == 1


def test_an_interrupt_ends_the_run() -> None:
    waiting: Callable[[Any], Any] = lambda _facts: {"a": Wait("it boots")}  # noqa: E731
    step = a_step(decide=waiting, apply=nothing_to_apply)
    with pytest.raises(Interrupted):
        run([step], World(), clock=VirtualClock(interrupt_at=10), emit=lambda _event: None)


def go(steps: list[AnyStep], world: Any, **more: Any) -> Report:
    return run(steps, world, clock=VirtualClock(), emit=lambda _event: None, **more)


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
