"""Calendars and the watch in the database: kept and started by DBOS, each entry as one of its schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.errors import Invalid, Problem
from orchestrator.fleet.calendar import Calendar
from orchestrator.fleet.orders import WATCH

KEEP_PAUSED = "keep-paused"
"""The verb that stops a paused stack's database again after RDS has started it."""
KEEP_PAUSED_AT = "37 * * * *"
"""When: so a database that RDS starts after seven days runs for an hour at most."""
_CALENDAR, _WATCH = "calendar", "watch"
"""Before the slash in a schedule's name, and the whole name of the watch's."""


class Schedules:
    """Through a DBOS client; `workflow` is the name of the one that they start."""

    def __init__(self, client: Any, workflow: str) -> None:
        self._client = client
        self._workflow = workflow

    def keep(self, name: str, calendar: Calendar) -> bool:
        """From now on the calendar of this name is this one; whether there was another one."""
        before = self.drop(name)
        said = calendar.as_json()
        entries = [
            self._schedule(f"{_CALENDAR}/{name}/{at}", one.cron, {"calendar": said, "entry": at}, one.zone)
            for at, one in enumerate(calendar.entries)
        ]
        if calendar.pauses:
            entries.append(self._schedule(f"{_CALENDAR}/{name}/keep", KEEP_PAUSED_AT, {"calendar": said, "keep": True}))
        self._client.apply_schedules(entries)
        return before

    def calendars(self) -> Mapping[str, Calendar]:
        """Name → calendar."""
        found = self._client.list_schedules(schedule_name_prefix=f"{_CALENDAR}/")
        return {one["schedule_name"].split("/")[1]: Calendar.of(one["context"]["calendar"]) for one in found}

    def drop(self, name: str) -> bool:
        """Forget the calendar; False: there was none of this name."""
        found = self._client.list_schedules(schedule_name_prefix=f"{_CALENDAR}/{name}/")
        for one in found:
            self._client.delete_schedule(one["schedule_name"])
        return bool(found)

    def require(self, name: str) -> None:
        """Forget the calendar. Raises `Invalid` where there is none of this name."""
        known = sorted(self.calendars())
        if not self.drop(name):
            fix = f"one of {', '.join(known)}" if known else "there is no calendar; give a sentence to set one"
            raise Invalid(Problem("schedule-unknown", f"there is no calendar {name!r}", "--remove", fix))

    def watch(self, minutes: int, names: Sequence[str], labels: Sequence[str]) -> None:
        """From now on the stacks are looked at every so many minutes: a divisor of 60, or of hours one of 24."""
        every = f"*/{minutes} * * * *" if minutes < 60 else f"0 */{minutes // 60} * * *"
        kept = {"watch": {"names": list(names), "labels": list(labels), "minutes": minutes}}
        self._client.apply_schedules([self._schedule(_WATCH, every, kept)])

    def watching(self) -> Mapping[str, Any] | None:
        """What is watched: `names`, `labels`, `minutes`; None: nothing is."""
        found = self._client.get_schedule(_WATCH)
        return dict(found["context"][WATCH]) if found else None

    def unwatch(self) -> None:
        """Nothing is looked at any more."""
        self._client.delete_schedule(_WATCH)

    def _schedule(self, name: str, cron: str, kept: Mapping[str, Any], zone: str = "UTC") -> dict[str, Any]:
        return {
            "schedule_name": name,
            "workflow_name": self._workflow,
            "schedule": cron,
            "context": kept,
            "cron_timezone": zone,
            "automatic_backfill": _CALENDAR in name and "calendar" in kept and "entry" in kept,
        }
