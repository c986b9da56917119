"""An order while it is carried out: counts that agree, the oldest first, never wider than the screen."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.fleet.board import drawn
from orchestrator.fleet.engine import OrderStatus
from orchestrator.fleet.orders import UNFINISHED, Order, StackResult

STACKS = tuple(f"stack-{number}" for number in range(1, 7))
NOW = datetime.fromtimestamp(1_000.0, UTC)


def lines(ended: tuple[StackResult, ...], under_way: dict[str, float], width: int = 80, height: int = 10) -> list[str]:
    seen = OrderStatus("run-1", Order("run", (STACKS,)), UNFINISHED, 940.0, ended)
    return [one.plain for one in drawn(seen, under_way, NOW, width=width, height=height)]


def test_what_is_under_way_stands_below_the_counts_the_oldest_first() -> None:
    ended = (StackResult("stack-1", "succeeded"), StackResult("stack-2", "failed"))
    assert lines(ended, {"stack-4": 998.0, "stack-3": 940.0}) == [
        "run · 1m00s · 2/6 stacks · 2 under way · 2 waiting · 1 failed",
        "  ▸ stack-3 1m00s",
        "  ▸ stack-4 2s",
    ]


def test_a_stack_that_has_just_ended_is_counted_once() -> None:
    assert lines((StackResult("stack-1", "succeeded"),), {"stack-1": 990.0, "stack-2": 999.0}) == [
        "run · 1m00s · 1/6 stacks · 1 under way · 4 waiting",
        "  ▸ stack-2 1s",
    ]


def test_it_fits_a_narrow_and_low_screen() -> None:
    shown = lines((), dict.fromkeys(STACKS, 990.0), width=30, height=3)
    assert len(shown) == 3
    assert shown[-1] == "  … and 5 more"
    assert max(map(len, shown)) == 30
