"""Who is changed together, and when no more are begun: tests/cases/waves/*.json, and the loop on scripted worlds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Report
from orchestrator.engine.step import STACK, Blocked
from orchestrator.engine.waves import WavePolicy, run_waves, stop_reason, waves
from orchestrator.errors import Outcome, Problem
from tests.unit.engine.worlds import World, a_step, apply, decide, go

CASES = Path(__file__).parents[2] / "cases" / "waves"


def cases(name: str) -> pytest.MarkDecorator:
    table = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return pytest.mark.parametrize("case", table, ids=[case["why"] for case in table])


def wave_policy(case: dict[str, Any]) -> WavePolicy:
    return TypeAdapter(WavePolicy).validate_python(case["policy"])


@cases("waves")
def test_who_goes_together(case: dict[str, Any]) -> None:
    found = waves(wave_policy(case), case["subjects"], case.get("quiet", ()))
    assert [list(wave) for wave in found] == case["waves"]


@cases("stop_reasons")
def test_when_no_other_is_begun(case: dict[str, Any]) -> None:
    said = stop_reason(wave_policy(case), case["done"], case["failed"], shared=case.get("shared", False))
    assert said == case["says"]


def rolling(world: World, policy: WavePolicy, steps: Sequence[AnyStep] = ()) -> Any:
    def run(wave: Sequence[str]) -> Report:
        return go(list(steps) or [a_step()], world, subjects=set(wave))

    return run_waves(policy, waves(policy, world.tenants), run)


def test_each_wave_is_seen_up_before_the_next_is_begun() -> None:
    world = World(("a", "b", "c"), lag=3)
    up_before: list[set[str]] = []

    def recorded(seen: World, todos: Any) -> None:
        up_before.append(set(seen.up))
        apply(seen, todos)

    result = rolling(world, WavePolicy(max_parallel=1), [a_step(apply=recorded)])
    assert world.applied == [("a",), ("b",), ("c",)]
    assert up_before == [set(), {"a"}, {"a", "b"}]
    assert result.report.outcome is Outcome.SUCCEEDED
    assert result.report.changed == 3


def test_who_fails_keeps_nobody_back() -> None:
    world = World(("a", "b", "c", "d"), broken={"a", "c"})
    result = rolling(world, WavePolicy(max_parallel=2))
    assert world.applied == [("b",), ("d",)]
    assert (result.failed, result.not_begun) == (("a", "c"), ())
    assert result.report.outcome is Outcome.FAILED


def test_after_so_many_failures_nobody_else_is_touched() -> None:
    world = World(("a", "b", "c", "d"), broken={"a", "b"})
    result = rolling(world, WavePolicy(max_parallel=1, max_failures=2))
    assert world.applied == []
    assert (result.failed, result.not_begun, result.why) == (("a", "b"), ("c", "d"), "2 of 2 failed")


def test_a_canary_that_fails_is_the_only_one_touched() -> None:
    world = World(("a", "b", "c"), broken={"c"})
    result = rolling(world, WavePolicy(canaries=("c",)))
    assert (result.failed, result.not_begun) == (("c",), ("a", "b"))
    assert world.applied == []


def test_what_all_need_stops_all() -> None:
    def blocked(facts: Any) -> Any:
        return {**decide(facts), STACK: Blocked(Problem("no-server", "it is gone", fix="bring it back"))}

    result = rolling(World(("a", "b")), WavePolicy(max_parallel=1), [a_step(decide=blocked)])
    assert result.not_begun == ("b",)
    assert result.why == "what all of them need failed"
