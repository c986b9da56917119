"""A fleet on SQLite: one process works, whatever happens to it; what is asked for twice is done once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.processes import PlayedFleet, played
from tests.waiting import PATIENCE, until

SIGKILLED = -signal.SIGKILL


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[PlayedFleet]:
    with played(tmp_path, ("a", "b", "c", "d")) as made:
        yield made


def test_waves_follow_each_other_and_stop_after_so_many_failures(fleet: PlayedFleet) -> None:
    fleet.open()
    fleet.open("fails-b")
    ended = fleet.said(fleet.run("1,1,1,rest", 1))
    assert ended == {"a": "succeeded", "b": "failed", "c": "not-begun", "d": "not-begun"}
    assert [name for name, _ in fleet.of("began")] == ["a", "b"]


def test_a_killed_process_is_gone_on_with_by_the_same_command_and_each_stack_is_done_once(fleet: PlayedFleet) -> None:
    fleet.open("gate-a")
    first = fleet.run("1,rest")
    until("the second wave is under way", lambda: {"b", "c", "d"} <= {name for name, _ in fleet.of("began")})
    first.kill()
    assert first.wait(PATIENCE) == SIGKILLED
    fleet.open()
    assert fleet.said(fleet.run("1,rest")) == dict.fromkeys("abcd", "succeeded")
    assert sorted(name for name, _ in fleet.of("done")) == ["a", "b", "c", "d"]


def test_one_that_is_asked_to_stop_leaves_what_it_was_at_to_the_next(fleet: PlayedFleet) -> None:
    first = fleet.run("1,rest")
    until("the first stack is under way", lambda: fleet.began("a"))
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE) == 130
    assert [name for name, _ in fleet.of("stopped")] == ["a"]
    fleet.open()
    assert fleet.said(fleet.run("1,rest")) == dict.fromkeys("abcd", "succeeded")
    assert sorted(name for name, _ in fleet.of("done")) == ["a", "b", "c", "d"]


def test_who_asks_for_the_same_meanwhile_waits_for_it_and_works_on_when_the_first_is_killed(
    fleet: PlayedFleet,
) -> None:
    first = fleet.run("1,rest")
    until("the first stack is under way", lambda: fleet.began("a"))
    second = fleet.run("1,rest")
    fleet.open("gate-a")
    until("the second wave is under way", lambda: fleet.began("b"))
    assert {process for _, process in fleet.of("began")} == {first.pid}
    first.kill()
    fleet.open()
    assert fleet.said(second) == dict.fromkeys("abcd", "succeeded")
    assert sorted(name for name, _ in fleet.of("done")) == ["a", "b", "c", "d"]
    assert {process for name, process in fleet.of("done") if name != "a"} == {second.pid}
