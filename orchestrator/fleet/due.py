"""Which order a schedule gives when its time has come. Pure: the time and the earlier rounds are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.errors import Invalid
from orchestrator.fleet.calendar import Calendar, CalendarEntry
from orchestrator.fleet.engine import OrderStatus
from orchestrator.fleet.file import Fleet, FleetStack
from orchestrator.fleet.orders import UNFINISHED, WATCH, Order
from orchestrator.fleet.schedules import KEEP_PAUSED
from orchestrator.fleet.selection import selected
from orchestrator.fleet.timetable import counts
from orchestrator.fleet.watching import due


def due_order(
    fleet: Fleet, at: datetime, kept: Mapping[str, Any], now: datetime, rounds: Sequence[OrderStatus]
) -> Order | None:
    """The order for what was due `at`; None: it is a holiday, or was overtaken, or nobody is selected.

    `kept` is what the schedule was made with (`schedules.py`); `rounds` are the watch's, the newest first.
    """
    if WATCH in kept:
        return _round(fleet, kept[WATCH], rounds)
    calendar = Calendar.of(kept["calendar"])
    if kept.get("keep"):
        chosen = [stack for one in calendar.pauses for stack in _selected(fleet, one.names, one.labels)]
        return _order(KEEP_PAUSED, tuple(dict.fromkeys(one.name for one in chosen)), fleet)
    entry: CalendarEntry = calendar.entries[kept["entry"]]
    if not counts(calendar, at.astimezone(ZoneInfo(entry.zone)), now, entry=entry):
        return None
    return _order(entry.verb, tuple(one.name for one in _selected(fleet, entry.names, entry.labels)), fleet)


def _round(fleet: Fleet, kept: Mapping[str, Any], rounds: Sequence[OrderStatus]) -> Order | None:
    """None while the round before goes on."""
    if any(one.state == UNFINISHED for one in rounds):
        return None
    memory = next((one.memory for one in rounds if one.memory), {})
    chosen = due(_selected(fleet, kept["names"], kept["labels"]), memory, fleet.watch_calls)
    return _order(WATCH, tuple(one.name for one in chosen), fleet)


def _selected(fleet: Fleet, names: Sequence[str], labels: Sequence[str]) -> tuple[FleetStack, ...]:
    """Those that the fleet has today."""
    try:
        known = {one.name for one in fleet.stacks}
        here = [one for one in names if one in known]
        return selected(fleet.stacks, names=here, labels=labels) if here or not names else ()
    except Invalid:
        return ()


def _order(verb: str, names: tuple[str, ...], fleet: Fleet) -> Order | None:
    places = {one.name: one.place for one in fleet.stacks if one.name in names}
    return Order(verb, (names,), places) if names else None
