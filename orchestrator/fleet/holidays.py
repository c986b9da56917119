"""Days of an iCalendar file: whether something is on one of them. Recurrences and time zones are the libraries'."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any


def readable(text: str) -> bool:
    """Whether it is a calendar with an event."""
    from icalendar import Calendar

    try:
        return any(one.walk("VEVENT") for one in Calendar.from_ical(text, multiple=True))
    except (ValueError, KeyError, IndexError):
        return False


def falls_on(text: str, day: date) -> bool:
    """Whether there is an event on this day; of an empty text there is none."""
    return any(_query(one).at(day) for one in _calendars(text)) if text else False


@lru_cache(maxsize=8)
def _calendars(text: str) -> tuple[Any, ...]:
    from icalendar import Calendar

    return tuple(Calendar.from_ical(text, multiple=True))


def _query(calendar: Any) -> Any:
    import recurring_ical_events

    return recurring_ical_events.of(calendar)
