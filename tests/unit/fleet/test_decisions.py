"""Who is selected, who goes together, how it ended, what is left: tests/cases/fleet/*.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from orchestrator.cli import fleet as commands
from orchestrator.errors import Invalid
from orchestrator.fleet import orders, report
from orchestrator.fleet.engine import OrderStatus, place_of
from orchestrator.fleet.file import FleetStack
from orchestrator.fleet.orders import FINISHED, Order, StackResult
from orchestrator.fleet.selection import selected, waves
from orchestrator.fleet.work import VERBS

CASES = Path(__file__).parents[2] / "cases" / "fleet"
STACKS = tuple(
    FleetStack(name, Path(name), labels={"env": env, "size": size})
    for name, env, size in (("a", "prod", "big"), ("b", "prod", "small"), ("c", "demo", "small"))
)


def cases(name: str) -> pytest.MarkDecorator:
    table = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return pytest.mark.parametrize("case", table, ids=[case["why"] for case in table])


@cases("waves")
def test_who_goes_together(case: dict[str, Any]) -> None:
    if case.get("refused"):
        with pytest.raises(Invalid) as refused:
            waves(case["names"], case["sizes"])
        assert [one.code for one in refused.value.problems] == ["wave-invalid"]
        return
    assert [list(wave) for wave in waves(case["names"], case["sizes"])] == case["waves"]


@cases("outcomes")
def test_how_it_ended_and_what_is_left(case: dict[str, Any]) -> None:
    results = [StackResult(name, outcome) for name, outcome in case["results"].items()]
    assert orders.outcome_of(results).word == case["outcome"]
    assert list(orders.left_over([results])) == case["left"]
    assert orders.objection(results, case.get("stop_after")) == case["says"]


@pytest.mark.parametrize(
    ("names", "labels", "found"),
    [
        ((), (), "abc"),
        (("c", "a"), (), "ac"),
        ((), ("env=prod",), "ab"),
        ((), ("env=prod", "size=small"), "b"),
        (("a", "c"), ("size=small",), "c"),
    ],
)
def test_a_selection(names: tuple[str, ...], labels: tuple[str, ...], found: str) -> None:
    assert "".join(one.name for one in selected(STACKS, names=names, labels=labels)) == found


@pytest.mark.parametrize(
    ("names", "labels", "codes"),
    [
        (("x",), ("prod",), ["stack-unknown", "label-invalid"]),
        ((), ("env=gone",), ["fleet-selects-nothing"]),
    ],
)
def test_a_selection_that_is_wrong(names: tuple[str, ...], labels: tuple[str, ...], codes: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        selected(STACKS, names=names, labels=labels)
    assert [one.code for one in refused.value.problems] == codes
    assert all(one.fix for one in refused.value.problems)


def test_the_same_order_has_the_same_key_and_survives_the_database() -> None:
    one = Order("run", (("a",), ("b", "c")), {"a": "-/-", "b": "-/-", "c": "-/-"}, 2)
    assert Order.of(json.loads(json.dumps(one.as_json()))) == one
    assert one.key == Order("run", one.waves, {}, 2).key
    assert len({one.key, Order("run", one.waves).key, Order("plan", one.waves, {}, 2).key}) == 3


def test_a_stacks_newest_result_counts() -> None:
    newer = [StackResult("a", "succeeded"), StackResult("c", "not-begun")]
    older = [StackResult("a", "failed"), StackResult("b", "failed"), StackResult("c", "succeeded")]
    assert orders.left_over([newer, older]) == ("b", "c")


def seen() -> OrderStatus:
    order = Order("run", (("a",), ("b",), ("c",)))
    problem = {"step": "services", "subject": "x", "code": "broken", "detail": "a | b", "fix": "mend it"}
    results = [StackResult("a", "succeeded", 3, 1.5, 40), StackResult("b", "failed", problems=(problem,))]
    return OrderStatus("run-1", order, FINISHED, 0.0, orders.completed(order, results, "1 of 2 failed (b)"))


def test_every_report_has_every_stack() -> None:
    assert "run: 3 stacks: 1 succeeded, 1 failed, 1 not-begun; changed: 3, 40 AWS calls" in report.summary(seen())
    lines = [json.loads(line) for line in report.lines(seen())]
    assert [(one.get("stack"), one["outcome"]) for one in lines] == [
        ("a", "succeeded"),
        ("b", "failed"),
        ("c", "not-begun"),
        (None, "failed"),
    ]
    assert lines[-1]["failed"] == ["b", "c"]
    assert "| b | failed | 0.0 | services x: a \\| b [broken] |" in report.markdown(seen())
    page = report.html(seen())
    assert "<strong>services x</strong>: a | b <code>[broken]</code>" in page
    assert page.count("<tr><td>") == 3
    suite = ElementTree.fromstring(report.junit(seen()).partition("\n")[2])
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["b", "c"]


def test_a_results_place_never_shows_who_signs_in() -> None:
    assert place_of("postgresql://fleet:secret@db/fleet") == "postgresql://db/fleet"


def test_the_commands_are_what_a_fleet_can_do() -> None:
    assert commands.VERBS.keys() == VERBS.keys()
