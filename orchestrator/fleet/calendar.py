"""What is done at which times of the week: one sentence, as a person writes it. Pure, but for the file it names.

`pause label=demo at 20:00 Mon-Fri Europe/Zurich, resume at 07:00, not on holidays.ics`: what an entry leaves out
(stacks, days, time zone) is as in the one before it. The grammar is `sentence.lark`.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from orchestrator.errors import Invalid, Problem, correction
from orchestrator.fleet.holidays import readable
from orchestrator.fleet.selection import ANY

VERBS = ("run", "plan", "status", "doctor", "pause", "resume", "backup")
"""What can be done at a time."""
EXAMPLE = "pause label=demo at 20:00 Mon-Fri Europe/Zurich, resume at 07:00, not on holidays.ics"
_EVERY_DAY = frozenset({"daily", "every day"})


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One thing that is done at its times. `days`: as cron writes them; `zone`: IANA's name of a time zone."""

    verb: str
    hour: int
    minute: int
    days: str
    zone: str
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def cron(self) -> str:
        """Five fields, in the time of the zone."""
        return f"{self.minute} {self.hour} * * {self.days}"

    @property
    def whom(self) -> str:
        """The stacks, in words."""
        labels = (f"label={one.removeprefix(f'{ANY}=')}" for one in self.labels)
        return " ".join((*(f"stack={one}" for one in self.names), *labels)) or "all stacks"

    def __str__(self) -> str:
        return f"{self.verb} {self.whom} at {self.hour:02}:{self.minute:02} {self.days} {self.zone}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """All entries of a sentence; `holidays`: an iCalendar file's text, on whose days nothing is done."""

    sentence: str
    entries: tuple[CalendarEntry, ...]
    holidays: str = ""

    @property
    def pauses(self) -> tuple[CalendarEntry, ...]:
        """The entries that pause."""
        return tuple(one for one in self.entries if one.verb == "pause")

    def as_json(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Calendar:
        """As it was written."""
        entries = (
            CalendarEntry(**{**one, "names": tuple(one["names"]), "labels": tuple(one["labels"])})
            for one in said["entries"]
        )
        return cls(said["sentence"], tuple(entries), said["holidays"])


def read(sentence: str, folder: Path) -> Calendar:
    """The calendar that a sentence means; its file is relative to `folder`. Raises `Invalid`: every defect."""
    said, file = _parsed(sentence)
    problems: list[Problem] = []
    entries: list[CalendarEntry] = []
    for one in said:
        entry = _entry(one, entries[-1] if entries else None, sentence, problems)
        entries += [entry] if entry else []
    holidays = _holidays(folder / file, problems) if file else ""
    if problems:
        raise Invalid(*problems)
    return Calendar(sentence, tuple(entries), holidays)


def _entry(
    said: Mapping[str, Any], before: CalendarEntry | None, sentence: str, problems: list[Problem]
) -> CalendarEntry | None:
    found = len(problems)
    hour, minute = map(int, said["time"].split(":"))
    zone = said["zone"] or (before.zone if before else "")
    if said["verb"] not in VERBS:
        problems.append(
            _wrong(f"{said['verb']!r} can't be scheduled", sentence, correction(said["verb"], VERBS, "verbs"))
        )
    if hour > 23 or minute > 59:
        problems.append(_wrong(f"{said['time']} is not a time of day", sentence, "write a time from 00:00 to 23:59"))
    if not zone:
        fix = "write a time zone after the time: Europe/Zurich, or UTC"
        problems.append(_wrong(f"the time {said['time']} has no time zone", sentence, fix))
    elif zone not in _zones():
        problems.append(
            _wrong(f"there is no time zone {zone!r}", sentence, correction(zone, sorted(_zones()), "zones"))
        )
    if len(problems) > found:
        return None
    chosen = bool(said["names"] or said["labels"])
    return CalendarEntry(
        verb=said["verb"],
        hour=hour,
        minute=minute,
        days=_days(said["days"], before),
        zone=zone,
        names=said["names"] if chosen or before is None else before.names,
        labels=said["labels"] if chosen or before is None else before.labels,
    )


def _days(said: str, before: CalendarEntry | None) -> str:
    if not said:
        return before.days if before else "*"
    return "*" if said.lower() in _EVERY_DAY else said.upper()


def _holidays(file: Path, problems: list[Problem]) -> str:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        problems.append(Problem("holidays-unreadable", why, str(file), "name an iCalendar file (.ics)"))
        return ""
    if not readable(text):
        fix = "name an iCalendar file (.ics) with events, as calendars export it"
        problems.append(Problem("holidays-unreadable", "there is no event in it", str(file), fix))
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _wrong(what: str, sentence: str, fix: str) -> Problem:
    return Problem("schedule-invalid", what, sentence, fix)


@cache
def _grammar() -> Any:
    from lark import Lark

    text = resources.files(__package__ or "").joinpath("sentence.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr")


def _parsed(sentence: str) -> tuple[Sequence[Mapping[str, Any]], str]:
    """What each entry says, and the file of holidays (empty: none). Raises `Invalid` where it is no such sentence."""
    from lark.exceptions import UnexpectedInput

    try:
        tree = _grammar().parse(sentence)
    except UnexpectedInput as error:
        column = getattr(error, "column", -1)
        place = f"after {sentence[: column - 1].strip()!r}" if column > 1 else "at its beginning"
        message = f"it can't be read {place}"
        raise Invalid(_wrong(message, sentence, f"write it like this: {EXAMPLE}")) from None
    files = [str(one.children[0]).strip() for one in tree.find_data("exception")]
    return [_said(entry) for entry in tree.children if entry.data == "entry"], files[0] if files else ""


def _said(entry: Any) -> Mapping[str, Any]:
    tokens = {one.type: str(one) for one in entry.children if hasattr(one, "type")}
    chosen = {kind: [str(one.children[0]) for one in entry.find_data(kind)] for kind in ("stack", "label")}
    return {
        "verb": tokens["VERB"],
        "time": tokens["TIME"],
        "days": tokens.get("DAYS", ""),
        "zone": tokens.get("ZONE", ""),
        "names": tuple(chosen["stack"]),
        "labels": tuple(one if "=" in one else f"{ANY}={one}" for one in chosen["label"]),
    }
