"""Putting back what we changed: only where the present value is still the one we wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.dns import submission
from orchestrator.dns.history import History, HistoryEntry
from orchestrator.dns.model import ADDRESS_TYPES, Change, Record
from orchestrator.dns.places import Connect, ZonePlace, ZoneReader
from orchestrator.dns.submission import LocatedChange
from orchestrator.errors import OrchestratorError, PartlyFailed, Problem


@dataclass(frozen=True, slots=True)
class NameRestoration:
    """How a name gets back what it had before our last change: by `change`; None: it has that already, or never mind.

    `problem`: somebody has changed it since, and it is left alone.
    """

    entry: HistoryEntry
    change: Change | None = None
    problem: Problem | None = None


def latest(entries: Iterable[HistoryEntry]) -> tuple[HistoryEntry, ...]:
    """Our last change of each name."""
    return tuple({(entry.provider, entry.zone, entry.change.name): entry for entry in entries}.values())


def restoration(entry: HistoryEntry, existing: Iterable[Record]) -> NameRestoration:
    """What undoes the entry, the zone being what it is. Pure. Only what we wrote is replaced by what was there."""
    change = entry.change
    blocking = {record.type for record in (*change.before, *change.after)} | ADDRESS_TYPES
    present = tuple(r for r in existing if r.name == change.name and r.type in blocking)
    if _answers(present) == _answers(change.before):
        return NameRestoration(entry)
    if _answers(present) != _answers(change.after):
        return NameRestoration(entry, problem=_changed_since(change, present))
    return NameRestoration(entry, Change(change.name, present, change.before))


def _answers(records: Iterable[Record]) -> frozenset[tuple[str, ...]]:
    return frozenset((*record.answers[:3], *sorted(record.answers[3:])) for record in records)


def _changed_since(change: Change, present: tuple[Record, ...]) -> Problem:
    now = "; ".join(record.content for record in present) or "no record"
    wrote = "; ".join(record.content for record in change.after) or "no record"
    return Problem(
        code="dns-changed-since",
        message=f"{change.name} has been changed since by somebody else: it is {now}, we wrote {wrote}",
        context=change.name,
        fix="find out who changed it; to have the earlier value back, set it by hand",
    )


def survey(history: History, connect: Connect, names: Collection[str] | None) -> tuple[NameRestoration, ...]:
    """What undoing our last change of each name (of `names`; None: of all) comes to. One list call for each zone."""
    entries = latest(entry for entry in history.entries() if names is None or entry.change.name in names)
    zone_reader = ZoneReader(connect)
    return tuple(_surveyed(entry, zone_reader) for entry in entries)


def _surveyed(entry: HistoryEntry, zone_reader: ZoneReader) -> NameRestoration:
    """A zone that can't be read leaves its own names alone."""
    found = zone_reader.records(_place(entry))
    return NameRestoration(entry, problem=found) if isinstance(found, Problem) else restoration(entry, found)


def restore(history: History, connect: Connect, wanted: Iterable[NameRestoration]) -> list[tuple[str, str]]:
    """Make the restorations, one plan for each zone; providers and tickets. The next undo then goes further back.

    Raises `PartlyFailed` by name; what failed can be undone again.
    """
    tickets: list[tuple[str, str]] = []
    members = {_key(one.entry): one for one in wanted if not one.problem}
    located = {key: LocatedChange(_place(one.entry), one.change) for key, one in members.items() if one.change}
    failures: Mapping[str, OrchestratorError] = {}
    try:
        submission.submit(connect, located, accepted=lambda provider, ticket: tickets.append((provider, ticket)))
    except PartlyFailed as some:
        failures = some.failures
    history.forget(one.entry for key, one in members.items() if key not in failures)
    if failures:
        raise PartlyFailed({members[key].entry.change.name: error for key, error in failures.items()})
    return tickets


def _key(entry: HistoryEntry) -> str:
    return f"{entry.provider} {entry.zone} {entry.change.name}"


def _place(entry: HistoryEntry) -> ZonePlace:
    return ZonePlace(entry.provider, entry.zone)
