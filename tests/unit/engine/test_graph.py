from __future__ import annotations

import pytest

from orchestrator import steps
from orchestrator.engine.graph import AnyStep, order, subset
from orchestrator.engine.step import Done, Step, nothing_to_apply
from orchestrator.errors import Invalid


def a_step(name: str, *needs: str) -> AnyStep:
    return Step(name, name, lambda _c: None, lambda _f: {"": Done("")}, nothing_to_apply, needs)


def test_each_step_follows_what_it_needs() -> None:
    ids = [step.id for step in steps.discover()]
    for step in steps.discover():
        assert all(ids.index(need) < ids.index(step.id) for need in step.needs)


def test_a_cycle_is_named() -> None:
    with pytest.raises(ValueError, match=r"a -> b -> a|b -> a -> b"):
        order([a_step("a", "b"), a_step("b", "a")])


def test_an_unknown_need_is_named() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        order([a_step("a", "nowhere")])


def test_unknown_steps_are_all_named_with_a_suggestion() -> None:
    with pytest.raises(Invalid) as caught:
        subset(steps.discover(), only=["dns-record"], skip=["zzz"])
    first, second = caught.value.problems
    assert "dns-records" in first.fix
    assert "services" in second.fix


def test_only_and_skip() -> None:
    chosen = subset([a_step("a"), a_step("b"), a_step("c")], only=["a", "b"], skip=["b"])
    assert [step.id for step in chosen] == ["a"]
