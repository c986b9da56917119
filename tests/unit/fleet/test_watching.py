"""Which stacks a round of the watch looks at, what is told of it, and once; what pauses have saved."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.fleet.alerts import notice
from orchestrator.fleet.due import due_order
from orchestrator.fleet.engine import OrderStatus
from orchestrator.fleet.file import Fleet, FleetStack
from orchestrator.fleet.orders import FINISHED, UNFINISHED, Order, StackResult
from orchestrator.fleet.savings import saved_since
from orchestrator.fleet.watching import NOT_UP, UNMEASURED, Alert, alerts, due

STACKS = tuple(FleetStack(name, Path(name)) for name in ("a", "b", "c"))


def trouble(code: str, subject: str = "customer-a") -> dict[str, str]:
    return {"step": "services", "subject": subject, "code": code, "detail": "it is broken", "fix": "mend it"}


def look(outcome: str, *codes: str, stack: str = "a") -> StackResult:
    return StackResult(stack, outcome, aws_calls=20, problems=tuple(map(trouble, codes)), ended=1.0)


def told(looks: list[StackResult]) -> list[list[str] | None]:
    """What each look, one after the other, made be told: codes; [] all is over; None nothing."""
    memory: dict[str, Any] = {}
    said: list[list[str] | None] = []
    for one in looks:
        found, after = alerts([one], memory)
        memory = json.loads(json.dumps(after))
        said.append([problem["code"] for problem in found[0].worse] if found else None)
    return said


@pytest.mark.parametrize(
    ("why", "looks", "said"),
    [
        ("all is well", [look("succeeded"), look("succeeded")], [None, None]),
        ("once", [look("failed", "oom"), look("failed", "oom"), look("failed", "oom")], [["oom"], None, None]),
        ("one more", [look("failed", "oom"), look("failed", "oom", "dns")], [["oom"], ["dns"]]),
        ("over, and again", [look("failed", "oom"), look("succeeded"), look("failed", "oom")], [["oom"], [], ["oom"]]),
        ("a part of it is over", [look("failed", "oom", "dns"), look("failed", "dns")], [["oom", "dns"], None]),
        ("a deployment", [look("pending", NOT_UP), look("succeeded")], [None, None]),
        ("not up for long", [look("pending", NOT_UP)] * 3, [None, [NOT_UP], None]),
        ("nobody looked", [look("failed", "oom"), look("interrupted"), look("failed", "oom")], [["oom"], None, None]),
        ("it can't be reached", [look("invalid", "account-wrong"), look("succeeded")], [["account-wrong"], []]),
    ],
)  # fmt: skip
def test_each_trouble_is_told_once(why: str, looks: list[StackResult], said: list[list[str] | None]) -> None:
    assert told(looks) == said


def test_a_round_stays_within_the_calls_of_an_account_and_everybodys_turn_comes() -> None:
    memory: dict[str, Any] = {}
    rounds = []
    for number in range(4):
        chosen = due(STACKS, memory, 2 * UNMEASURED)
        rounds.append("".join(one.name for one in chosen))
        memory |= {one.name: {"at": number + 1.0, "calls": UNMEASURED} for one in chosen}
    assert rounds == ["ab", "ac", "ab", "ac"]
    assert [one.name for one in due(STACKS, memory, 1)] == ["b"]
    assert due(STACKS, memory, None) == STACKS


def test_a_round_waits_for_the_one_before() -> None:
    fleet = Fleet(STACKS, "sqlite:///x")
    kept = {"watch": {"names": [], "labels": [], "minutes": 5}}
    order = Order("watch", (("a",),))
    now = datetime.fromisoformat("2026-06-05T08:00:00Z")
    ended, running = (OrderStatus("watch-1", order, state, 0.0) for state in (FINISHED, UNFINISHED))
    assert due_order(fleet, now, kept, now, [running, ended]) is None
    made = due_order(fleet, now, kept, now, [ended])
    assert made is not None
    assert made.stacks == ("a", "b", "c")


def test_what_is_told_is_a_runs_notice() -> None:
    result = look("failed", "oom")
    worse, over = notice(Alert(result, result.problems), ("u", "h")), notice(Alert(result), ("u", "h"))
    assert (worse.stack, worse.outcome, [one.code for one in worse.failures]) == ("a", "failed", ["oom"])
    assert (over.outcome, over.failures) == ("succeeded", [])


@pytest.mark.parametrize(
    ("why", "pauses", "resumes", "saved"),
    [
        ("ten hours of a month of 730", [(0.0, 730.0)], [], 10.0),
        ("the newest pause", [(0.0, 730.0), (18_000.0, 730.0)], [], 5.0),
        ("resumed meanwhile", [(0.0, 730.0)], [(9_000.0, 3)], 0.0),
        ("a resume that found nothing to do", [(0.0, 730.0)], [(9_000.0, 0)], 10.0),
        ("paused by somebody else", [], [], 0.0),
    ],
)
def test_what_a_pause_saved(
    why: str, pauses: list[tuple[float, float]], resumes: list[tuple[float, int]], saved: float
) -> None:
    before = [StackResult("a", "succeeded", ended=ended, saving=saving) for ended, saving in pauses]
    after = [StackResult("a", "succeeded", changed, ended=ended) for ended, changed in resumes]
    assert saved_since(before, after, 36_000.0) == saved
