"""Several logs as one: the order of time, each line once, late lines too, and what `--since` and `--grep` mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.logs import LogEvent
from orchestrator.errors import Invalid
from orchestrator.rollout.tail import OVERLAP, Search, Tail, moment

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
GROUPS = {"a": "/ecs/a", "b": "/ecs/b"}


@dataclass
class Groups:
    """Log groups that fill up between two readings."""

    held: dict[str, list[LogEvent]] = field(default_factory=dict)
    asked: list[tuple[str, datetime, str]] = field(default_factory=list)

    def put(self, group: str, seconds: float, message: str, stream: str = "api/api/1") -> None:
        at = NOW + timedelta(seconds=seconds)
        self.held.setdefault(group, []).append(LogEvent(f"{group}{message}", at, stream, message))

    def since(self, group: str, start: datetime, pattern: str = "") -> Iterator[LogEvent]:
        self.asked.append((group, start, pattern))
        return (record for record in self.held[group] if record.at >= start)


def tail(groups: Groups, search: Search | None = None) -> Tail:
    return Tail(groups, GROUPS, search or Search(), NOW)


def said(found: list[tuple[str, LogEvent]]) -> list[tuple[str, str]]:
    return [(tenant, record.message) for tenant, record in found]


def test_tenants_are_merged_by_time() -> None:
    groups = Groups()
    groups.put("/ecs/b", 1, "first")
    groups.put("/ecs/a", 2, "second")
    groups.put("/ecs/b", 3, "third")
    groups.put("/ecs/b", -1, "too old")
    assert said(tail(groups).read()) == [("b", "first"), ("a", "second"), ("b", "third")]


def test_a_line_that_came_late_is_read_and_none_twice() -> None:
    groups = Groups()
    for group in GROUPS.values():
        groups.put(group, 30, "old")
    both = tail(groups)
    assert len(both.read()) == 2
    assert both.read() == []
    groups.put("/ecs/a", 29, "late")
    groups.put("/ecs/a", 31, "new")
    assert said(both.read()) == [("a", "late"), ("a", "new")]
    assert both.read() == []
    assert groups.asked[-2][1:] == (NOW + timedelta(seconds=31) - OVERLAP, "")


@given(st.lists(st.integers(0, 10), max_size=40))
def test_however_often_it_is_read_every_line_comes_once(written: list[int]) -> None:
    """Lines come up to 10 s out of order; each number is one more second, less the delay."""
    groups, read = Groups({"/ecs/a": [], "/ecs/b": []}), list[str]()
    both = tail(groups)
    for second, delay in enumerate(written):
        groups.put("/ecs/a", max(0, second - delay), str(second))
        read += [message for _, message in said(both.read())]
    assert read == [str(second) for second in range(len(written))]


def test_a_group_that_is_missing_is_said_until_it_is_there() -> None:
    groups = Groups({"/ecs/a": []})
    both = tail(groups)
    assert both.read() == []
    assert both.missing == {"b"}
    groups.held["/ecs/b"] = []
    both.read()
    assert both.missing == set()


@pytest.mark.parametrize(
    ("search", "kept"),
    [
        (Search.of(()), ["an ERROR", "fine", "worse: Exception", "from web: ERROR"]),
        (Search.of(("ERROR",)), ["an ERROR", "from web: ERROR"]),
        (Search.of(("ERROR", "Exception")), ["an ERROR", "worse: Exception", "from web: ERROR"]),
        (Search.of(("ERROR",), "api"), ["an ERROR"]),
        (Search.of((), "web"), ["from web: ERROR"]),
        (Search.of((), "w"), []),
    ],
)
def test_what_is_wanted(search: Search, kept: list[str]) -> None:
    groups = Groups({"/ecs/b": []})
    for seconds, message in enumerate(("an ERROR", "fine", "worse: Exception")):
        groups.put("/ecs/a", seconds, message)
    groups.put("/ecs/a", 9, "from web: ERROR", "web/web/1")
    assert [message for _, message in said(tail(groups, search).read())] == kept


def test_a_pattern_is_cloudwatch_s_to_apply() -> None:
    groups = Groups({"/ecs/b": []})
    groups.put("/ecs/a", 0, "fine")
    assert len(tail(groups, Search.of(("?ERROR ?Exception",))).read()) == 1
    assert {pattern for _, _, pattern in groups.asked} == {"?ERROR ?Exception"}
    with pytest.raises(Invalid, match="grep-several"):
        Search.of(("?ERROR", "plain"))


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1d12h", timedelta(hours=36)),
        ("2026-11-25T11:00:00Z", timedelta(hours=1)),
        ("2026-11-25T12:00:00+02:00", timedelta(hours=2)),
    ],
)
def test_since(text: str, ago: timedelta) -> None:
    assert moment(text, NOW) == NOW - ago


@pytest.mark.parametrize("text", ["", "yesterday", "10", "-1h", "1x", "h", "1h 30", "2026-13-01"])
def test_what_since_does_not_know(text: str) -> None:
    with pytest.raises(Invalid, match="since-invalid"):
        moment(text, NOW)
