"""What a sentence means (tests/cases/fleet/calendars.json), when its entries come, what other schedulers are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Invalid
from orchestrator.fleet import calendar, jobs, timetable
from orchestrator.fleet.calendar import Calendar, CalendarEntry
from orchestrator.fleet.due import due_order
from orchestrator.fleet.file import Fleet, FleetStack

CASES = json.loads((Path(__file__).parents[2] / "cases" / "fleet" / "calendars.json").read_text(encoding="utf-8"))
HOLIDAYS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//test//EN
BEGIN:VEVENT
UID:national@test
DTSTAMP:20200101T000000Z
DTSTART;VALUE=DATE:20200801
RRULE:FREQ=YEARLY
SUMMARY:National day
END:VEVENT
END:VCALENDAR
"""
STACKS = tuple(
    FleetStack(name, Path(name), labels=labels) for name, labels in (("a", {"env": "demo"}), ("b", {"env": "prod"}))
)
FLEET = Fleet(STACKS, "sqlite:///x")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_a_sentence(case: dict[str, Any], tmp_path: Path) -> None:
    if "codes" in case:
        with pytest.raises(Invalid) as refused:
            calendar.read(case["sentence"], tmp_path)
        assert [one.code for one in refused.value.problems] == case["codes"]
        assert all(one.fix for one in refused.value.problems)
        return
    found = calendar.read(case["sentence"], tmp_path)
    assert [str(one) for one in found.entries] == case["entries"]
    assert [one.cron for one in found.entries] == case["crons"]
    assert Calendar.of(json.loads(json.dumps(found.as_json()))) == found


def test_a_file_without_events_is_no_calendar_of_holidays(tmp_path: Path) -> None:
    (tmp_path / "empty.ics").write_text("nothing")
    with pytest.raises(Invalid) as refused:
        calendar.read("pause at 20:00 UTC, not on empty.ics", tmp_path)
    assert [one.code for one in refused.value.problems] == ["holidays-unreadable"]


@pytest.fixture
def nights(tmp_path: Path) -> Calendar:
    """2026-08-01, a holiday, is a Saturday; 2025-08-01 was a Friday."""
    (tmp_path / "holidays.ics").write_text(HOLIDAYS)
    return calendar.read(calendar.EXAMPLE.replace("label=demo", "label=env=demo"), tmp_path)


@pytest.mark.parametrize(
    ("now", "pause", "resume"),
    [
        ("2026-06-05T10:00:00+02:00", "2026-06-05T20:00:00+02:00", "2026-06-08T07:00:00+02:00"),
        ("2025-07-31T21:00:00+02:00", "2025-08-04T20:00:00+02:00", "2025-08-04T07:00:00+02:00"),  # over the holiday
        ("2026-10-23T21:00:00+02:00", "2026-10-26T20:00:00+01:00", "2026-10-26T07:00:00+01:00"),  # summer time ends
    ],
)
def test_when_it_comes_next(nights: Calendar, now: str, pause: str, resume: str) -> None:
    found = {entry.verb: time for time, entry in timetable.coming(nights, at(now))}
    assert found == {"pause": at(pause), "resume": at(resume)}


@pytest.mark.parametrize(
    ("why", "verb", "due", "now", "counts"),
    [
        ("in time", "pause", "2026-06-05T20:00:00+02:00", "2026-06-05T20:00:04+02:00", True),
        ("a worker was away for an hour", "pause", "2026-06-05T20:00:00+02:00", "2026-06-05T21:00:00+02:00", True),
        ("the morning has come since", "pause", "2026-06-04T20:00:00+02:00", "2026-06-05T09:00:00+02:00", False),
        ("the newest of what was missed", "resume", "2026-06-05T07:00:00+02:00", "2026-06-05T09:00:00+02:00", True),
        ("a holiday", "resume", "2025-08-01T07:00:00+02:00", "2025-08-01T07:00:03+02:00", False),
        (
            "what fell on a holiday overtakes nothing",
            "pause",
            "2025-07-31T20:00:00+02:00",
            "2025-08-01T09:00:00+02:00",
            True,
        ),
    ],
)
def test_whether_it_still_counts(nights: Calendar, why: str, verb: str, due: str, now: str, counts: bool) -> None:
    entry = next(one for one in nights.entries if one.verb == verb)
    assert timetable.counts(nights, at(due), at(now), entry=entry) is counts
    kept = {"calendar": nights.as_json(), "entry": nights.entries.index(entry)}
    order = due_order(FLEET, at(due).astimezone(UTC), kept, at(now), ())
    assert (order and (order.verb, order.stacks)) == ((verb, ("a",)) if counts else None)


def test_what_a_calendar_pauses_is_kept_paused(nights: Calendar) -> None:
    order = due_order(
        FLEET, at("2026-06-06T03:37:00Z"), {"calendar": nights.as_json(), "keep": True}, datetime.now(UTC), ()
    )
    assert order is not None
    assert (order.verb, order.stacks) == ("keep-paused", ("a",))


def test_a_label_without_its_name_is_any_labels_value(tmp_path: Path) -> None:
    found = calendar.read("run label=demo at 08:00 UTC", tmp_path)
    order = due_order(
        FLEET, at("2026-06-05T08:00:00Z"), {"calendar": found.as_json(), "entry": 0}, at("2026-06-05T08:00:01Z"), ()
    )
    assert order is not None
    assert order.stacks == ("a",)


def test_who_has_gone_from_the_fleet_is_asked_for_nothing(tmp_path: Path) -> None:
    found = calendar.read("run stack=gone at 08:00 UTC", tmp_path)
    kept = {"calendar": found.as_json(), "entry": 0}
    assert due_order(FLEET, at("2026-06-05T08:00:00Z"), kept, at("2026-06-05T08:00:01Z"), ()) is None


def words(entry: CalendarEntry | None) -> tuple[str, ...]:
    return ("orchestrate", entry.verb if entry else "keep")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("cron", ["CRON_TZ=Europe/Zurich", "0 20 * * MON-FRI orchestrate pause", "0 7 * * MON-FRI orchestrate resume"]),
        (
            "systemd",
            ["OnCalendar=Mon..Fri *-*-* 20:00:00 Europe/Zurich", "ExecStart=orchestrate resume", "Type=oneshot"],
        ),
        ("eventbridge", []),
    ],
)
def test_another_scheduler_is_told_the_same(nights: Calendar, form: str, said: list[str]) -> None:
    lines = list(jobs.lines(form, nights, words))
    assert lines[0].startswith("# holidays are not in here")
    assert set(said) <= set(lines)
    assert any("keep" in line for line in lines)
    if form == "eventbridge":
        assert "'cron(0 20 ? * MON-FRI *)'" in lines[1]
        assert "--schedule-expression-timezone Europe/Zurich" in lines[1]
