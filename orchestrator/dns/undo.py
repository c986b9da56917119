"""Putting back what we changed: only where the present value is still the one we wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from orchestrator.dns.history import Entry, History
from orchestrator.dns.model import ADDRESS_TYPES, Change, Plan, Record
from orchestrator.dns.places import Connect, Place
from orchestrator.errors import Problem


@dataclass(frozen=True, slots=True)
class Restoration:
    """How a name gets back what it had before our last change: by `change`; None: it has that already, or never mind.

    `problem`: somebody has changed it since, and it is left alone.
    """

    entry: Entry
    change: Change | None = None
    problem: Problem | None = None


def latest(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Our last change of each name."""
    return tuple({(entry.provider, entry.zone, entry.change.name): entry for entry in entries}.values())


def restoration(entry: Entry, existing: Iterable[Record]) -> Restoration:
    """What undoes the entry, the zone being what it is. Pure. Only what we wrote is replaced by what was there."""
    change = entry.change
    blocking = {record.type for record in (*change.before, *change.after)} | ADDRESS_TYPES
    present = tuple(r for r in existing if r.name == change.name and r.type in blocking)
    if _answers(present) == _answers(change.before):
        return Restoration(entry)
    if _answers(present) != _answers(change.after):
        return Restoration(entry, problem=_changed_since(change, present))
    return Restoration(entry, Change(change.name, present, change.before))


def _answers(records: Iterable[Record]) -> frozenset[tuple[str, ...]]:
    return frozenset((*record.answers[:3], *sorted(record.answers[3:])) for record in records)


def _changed_since(change: Change, present: tuple[Record, ...]) -> Problem:
    now = "; ".join(record.content for record in present) or "no record"
    wrote = "; ".join(record.content for record in change.after) or "no record"
    return Problem(
        code="dns-changed-since",
        message=f"{change.name} has been changed since by somebody else: it is {now}, we wrote {wrote}",
        context=change.name,
        fix="look who changed it; to have the earlier value back, set it by hand",
    )


def survey(history: History, connect: Connect, names: Collection[str] | None) -> tuple[Restoration, ...]:
    """What undoing our last change of each name (of `names`; None: of all) comes to. One list call for each zone."""
    entries = latest(entry for entry in history.entries() if names is None or entry.change.name in names)
    found = {place: connect(place.provider).records(place.zone) for place in sorted(set(map(_place, entries)))}
    return tuple(restoration(entry, found[_place(entry)]) for entry in entries)


def restore(history: History, connect: Connect, wanted: Iterable[Restoration]) -> list[tuple[str, str]]:
    """Make the restorations, one plan for each zone; providers and tickets. The next undo then goes further back."""
    tickets: list[tuple[str, str]] = []
    ordered = sorted((one for one in wanted if not one.problem), key=lambda one: (_place(one.entry), one.entry.id))
    for place, group in groupby(ordered, key=lambda one: _place(one.entry)):
        members = tuple(group)
        changes = tuple(one.change for one in members if one.change)
        if changes:
            tickets.append((place.provider, connect(place.provider).submit(place.zone, Plan(place.zone, changes))))
        history.forget(one.entry for one in members)
    return tickets


def _place(entry: Entry) -> Place:
    return Place(entry.provider, entry.zone)
