"""When the entries of a calendar come, and whether one that comes late still counts. Pure: the time is an argument.

The times are croniter's, which the engine's own are too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from orchestrator.fleet.calendar import Calendar, CalendarEntry
from orchestrator.fleet.holidays import falls_on

_DAYS_OFF = 400
"""Times in a row that may fall on holidays; beyond that there is none."""


def next_time(entry: CalendarEntry, holidays: str, now: datetime) -> datetime | None:
    """When it comes next, in its own zone; None: every day is a holiday."""
    return _first(_times(entry, now, forward=True), holidays)


def counts(calendar: Calendar, at: datetime, now: datetime, *, entry: CalendarEntry) -> bool:
    """Whether what was due `at` is still to be done: not on a holiday, nor when another entry's time came since.

    So a worker that was away does the newest of what it missed, and never an old pause after a newer resume.
    """
    if falls_on(calendar.holidays, at.astimezone(ZoneInfo(entry.zone)).date()):
        return False
    newest = (_first(_times(one, now, forward=False), calendar.holidays) for one in calendar.entries)
    return all(one is None or one <= at for one in newest)


def coming(calendar: Calendar, now: datetime) -> Sequence[tuple[datetime, CalendarEntry]]:
    """What comes next, the soonest first: one time of each entry."""
    found = [(time, one) for one in calendar.entries if (time := next_time(one, calendar.holidays, now))]
    return sorted(found, key=lambda pair: pair[0])


def _first(times: Iterator[datetime], holidays: str) -> datetime | None:
    return next((one for one in islice(times, _DAYS_OFF) if not falls_on(holidays, one.date())), None)


def _times(entry: CalendarEntry, now: datetime, *, forward: bool) -> Iterator[datetime]:
    from croniter import croniter

    times = croniter(entry.cron, now.astimezone(ZoneInfo(entry.zone)))
    while True:
        yield times.get_next(datetime) if forward else times.get_prev(datetime)
