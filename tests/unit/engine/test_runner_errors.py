"""What the loop makes of looks and changes that fail, and of what may have arrived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from orchestrator.engine.runner import Ending, Limits, Report, run, run_step
from orchestrator.engine.step import STACK, Done, Todo, Wait, nothing_to_apply
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
from orchestrator.events import Event, FindingReported, StepFailed, StepWaiting
from tests.unit.engine.worlds import VirtualClock, World, a_step, apply, go, observe, settle

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
    assert any("this run continues" in detail for detail in said) is bool(renewal)


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
