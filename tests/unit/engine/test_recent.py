"""Steps share what was read a moment ago; none is told the same twice, or what was before a change of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from orchestrator.engine.looks import FRESH, SHARED, Look, Recent, survey
from orchestrator.engine.subjects import attempt
from orchestrator.errors import Problem, Transient


@dataclass
class World:
    """Answers with how often it was asked."""

    seconds: float = 100.0
    asked: list[Sequence[str]] = field(default_factory=list)
    recent: Recent = field(default_factory=Recent)

    def monotonic(self) -> float:
        self.seconds += 0.001
        return self.seconds

    def step(self) -> Look:
        return Look(self.monotonic)

    def answer(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.asked.append(tuple(keys))
        return dict.fromkeys(keys, len(self.asked))

    def many(self, look: Look, *keys: str) -> Mapping[str, int]:
        with look.tried():
            return self.recent.many("all", keys, self.answer)

    def one(self, key: str) -> int:
        return self.recent.one(key, lambda: self.answer([key])[key])


def test_another_step_is_told_what_was_read_a_moment_ago() -> None:
    world = World()
    assert world.many(world.step(), "a", "b") == world.many(world.step(), "b", "a") == {"a": 1, "b": 1}
    assert world.many(world.step(), "a", "c") == {"a": 1, "c": 2}
    assert world.asked == [("a", "b"), ("c",)]


def test_a_step_that_looks_again_is_told_something_new() -> None:
    world = World()
    step = world.step()
    assert world.many(step, "a") == {"a": 1}
    assert world.many(step, "a") == {"a": 2}


def test_a_step_that_looks_again_may_use_what_another_has_read_since() -> None:
    world = World()
    step = world.step()
    world.many(step, "a")
    world.many(world.step(), "a")
    other = world.step()
    world.many(other, "a")
    assert world.many(other, "a") == {"a": 2}
    assert world.many(step, "a") == {"a": 2}


def test_what_is_old_is_asked_for_again() -> None:
    world = World()
    world.many(world.step(), "a")
    world.seconds += SHARED
    assert world.many(world.step(), "a") == {"a": 2}


def test_what_a_survey_read_is_its_own_as_long_as_it_takes() -> None:
    world = World()
    world.many(world.step(), "a")
    look = survey(world.monotonic)
    assert world.many(look(), "a") == {"a": 2}
    world.seconds += 3 * SHARED
    assert world.many(look(), "a") == {"a": 2}
    world.seconds += FRESH
    assert world.many(look(), "a") == {"a": 3}


def test_a_try_that_was_stopped_goes_on_with_what_was_read() -> None:
    world = World()
    step = world.step()

    def throttled() -> None:
        with step.tried():
            world.recent.many("all", ["a"], world.answer)
            raise Transient(Problem("throttled", "Rate exceeded"))

    with pytest.raises(Transient):
        throttled()
    assert world.many(step, "a", "b") == {"a": 1, "b": 2}


def test_after_a_change_nothing_from_before_is_told() -> None:
    world = World()
    world.many(world.step(), "a")
    world.recent.forget()
    assert world.many(world.step(), "a") == {"a": 2}


def test_what_was_being_read_while_something_changed_is_told_to_nobody_else() -> None:
    world = World()

    def changed(keys: Sequence[str]) -> Mapping[str, int]:
        world.recent.forget()
        return world.answer(keys)

    with world.step().tried():
        assert world.recent.many("all", ["a"], changed) == {"a": 1}
    assert world.many(world.step(), "a") == {"a": 2}


def test_outside_of_a_look_nothing_is_shared() -> None:
    world = World()
    assert [world.one("a"), world.one("a")] == [1, 2]


def test_threads_of_a_look_belong_to_it() -> None:
    world = World()
    for _ in range(2):
        with world.step().tried():
            assert attempt("ab", world.one, at_once=2).results.keys() == {"a", "b"}
    assert len(world.asked) == 2


def test_who_asks_for_what_another_is_asking_for_waits_for_that_answer() -> None:
    world = World()
    begun, go = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert go.wait(60)
        return world.answer(["a"])["a"]

    def looked(read: Callable[[], int]) -> int:
        with world.step().tried():
            return world.recent.one("a", read)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(looked, slow)
        assert begun.wait(60)
        second = pool.submit(looked, lambda: world.answer(["a"])["a"])
        go.set()
        assert (first.result(60), second.result(60)) == (1, 1)
