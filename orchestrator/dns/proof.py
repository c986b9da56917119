"""Whether a change did to its name what was asked, and nothing else: the zone before and after it, compared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orchestrator.dns.model import Change, Record, extras
from orchestrator.dns.names import bare
from orchestrator.errors import OrchestratorError, Problem, Transient

Zone = Iterable[Record]


def stale(changes: Iterable[Change], zone: Zone) -> Mapping[str, OrchestratorError]:
    """The changes whose name isn't what it was when they were decided, by name: they are not to be made."""
    held = list(zone)
    return {one.name: _changed(one) for one in changes if _answers(_concerned(one, held)) != _answers(one.before)}


def altered(changes: Iterable[Change], before: Zone, after: Zone) -> Mapping[str, OrchestratorError]:
    """The changes that took more with them than they should, by name: what they carried, or records beside them."""
    was, now = list(before), list(after)
    found = {one.name: list(_differences(one, was, now)) for one in changes}
    return {name: _altered(name, differences) for name, differences in found.items() if differences}


def _concerned(change: Change, zone: Zone) -> list[Record]:
    kinds = {record.type for record in (*change.before, *change.after)}
    return [one for one in zone if one.name == change.name and (one.is_answer or one.type in kinds)]


def _answers(records: Iterable[Record]) -> frozenset[tuple[str, ...]]:
    return frozenset((*record.answers[:3], *sorted(record.answers[3:])) for record in records)


def _differences(change: Change, before: Zone, after: Zone) -> Iterator[str]:
    old = {_key(record): record for record in change.before}
    beside = [one for one in before if one.name == change.name and _key(one) not in old]
    seen = {_key(record): record for record in after if record.name == change.name}
    for wanted in (*beside, *change.after):
        found = seen.get(_key(wanted))
        if found is None:
            yield f"{wanted.content} is gone"
            continue
        if set(map(bare, found.values)) != set(map(bare, wanted.values)):
            yield f"{wanted.content} is {found.content}"
        earlier = old.get(_key(wanted), wanted)
        if wanted.ttl and wanted.ttl == earlier.ttl != found.ttl and wanted in beside:
            yield f"the TTL of {wanted.content} is {found.ttl}"
        if _key(wanted) in old or wanted in beside:  # of another form it is another record
            yield from _lost(wanted, found)


def _lost(wanted: Record, found: Record) -> Iterator[str]:
    for was, is_now in zip(wanted.kept, found.kept or ("",) * len(wanted.kept), strict=False):
        now = extras(is_now)
        yield from (
            f"{field} of {wanted.type} was {value!r} and is {now.get(field)!r}"
            for field, value in extras(was).items()
            if now.get(field) != value
        )


def _key(record: Record) -> tuple[str, str, bool]:
    return record.type, record.policy, bool(record.alias_zone)


def _changed(change: Change) -> OrchestratorError:
    text = f"{change.name} is not what it was when the change was decided (somebody else changed a record)"
    return Transient(Problem("dns-records-changed", text, change.name, "review the plan again: orchestrate dns plan"))


def _altered(name: str, differences: Iterable[str]) -> OrchestratorError:
    text = f"{name} points where it should, but its provider changed more than was requested: {'; '.join(differences)}"
    fix = "set what is missing at the provider; the earlier values are in .orchestrate/dns-undo.jsonl"
    return OrchestratorError(Problem("dns-record-altered", text, name, fix))
