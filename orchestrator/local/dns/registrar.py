"""The account at the Porkbun double: its registered domains and their records. Thread-safe.

Facts reproduced here: ids are strings, a TTL below 600 is raised to 600, an identical or conflicting record is refused,
an edit that changes nothing is an error, one that doesn't repeat the notes clears them (whether Porkbun's own does is
not documented: the worse of the two is played), and a fresh domain is parked (apex ALIAS and `*` → pixie.porkbun.com).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.local.dns.zone import Zone, ZoneEntry, plain

TTL_FLOOR = 600
PARKING = "pixie.porkbun.com"
NAME_SERVERS = ("curitiba", "fortaleza", "maceio", "salvador")
TYPES = ("A", "AAAA", "ALIAS", "CAA", "CNAME", "HTTPS", "MX", "NS", "SRV", "SSHFP", "SVCB", "TLSA", "TXT")
DEFAULT_DOMAINS = ("vigilon.app", "porkbun.example")


class RefusedError(Exception):
    """The account may not have this record; the message is Porkbun's."""


@dataclass(frozen=True, slots=True)
class RecordDraft:
    """A record as requests have it: `sub` is relative to the domain, empty at the apex."""

    sub: str
    type: str
    content: str
    ttl: int = 0
    prio: int = 0
    notes: str = ""


@dataclass(frozen=True, slots=True)
class HostedRecord:
    """A record as Porkbun keeps it. `name` is absolute, without the final dot."""

    id: str
    name: str
    type: str
    content: str
    ttl: int = TTL_FLOOR
    prio: int = 0
    notes: str = ""


@dataclass(slots=True)
class Domain:
    """A registered domain. `opted_in` is the owner's switch "API ACCESS"."""

    name: str
    opted_in: bool = True
    records: dict[str, HostedRecord] = field(default_factory=dict)


class Registrar:
    """The Porkbun double's account."""

    def __init__(self, domains: Iterable[str] = DEFAULT_DOMAINS) -> None:
        self._lock = threading.RLock()
        self._ids = itertools.count(106_926_652)
        self._domains: dict[str, Domain] = {}
        for name in domains:
            self.register(name)

    def register(self, name: str, *, opted_in: bool = True, parked: bool = True) -> Domain:
        """The account owns the domain from now on (afresh, when it did before)."""
        name = plain(name)
        with self._lock:
            domain = self._domains[name] = Domain(name, opted_in)
            for server in NAME_SERVERS:
                self.create(name, RecordDraft("", "NS", f"{server}.ns.porkbun.com", ttl=86400))
            if parked:
                self.create(name, RecordDraft("", "ALIAS", PARKING))
                self.create(name, RecordDraft("*", "CNAME", PARKING))
            return domain

    def find(self, name: str) -> Domain | None:
        """The registered domain, exactly: `www.vigilon.app` is none."""
        return self._domains.get(plain(name))

    def domains(self) -> list[Domain]:
        """Every registered domain."""
        with self._lock:
            return list(self._domains.values())

    def records(self, domain: str) -> list[HostedRecord]:
        """All of them, however many: the API has no pages here."""
        with self._lock:
            return list(self._domains[plain(domain)].records.values())

    def create(self, domain: str, draft: RecordDraft) -> HostedRecord:
        """Add a record, or raise `RefusedError`."""
        with self._lock:
            wanted = _record(str(next(self._ids)), domain, draft)
            held = self._domains[plain(domain)].records
            if refused(wanted, held.values()):
                raise RefusedError("Create error: We were unable to create the DNS record.")
            held[wanted.id] = wanted
            return wanted

    def edit(self, domain: str, record_id: str, draft: RecordDraft) -> HostedRecord:
        """Replace a record; one that would stay as it is, or conflict, raises `RefusedError`. KeyError: no such id."""
        with self._lock:
            held = self._domains[plain(domain)].records
            wanted = _record(record_id, domain, draft)
            others = [record for record in held.values() if record.id != record_id]
            if held[record_id] == wanted or refused(wanted, others):
                raise RefusedError("Edit error: We were unable to edit the DNS record.")
            held[record_id] = wanted
            return wanted

    def delete(self, domain: str, record_id: str) -> None:
        """Remove a record. KeyError: no such id."""
        with self._lock:
            del self._domains[plain(domain)].records[record_id]

    def zones(self) -> list[Zone]:
        """What the name server serves for this account."""
        with self._lock:
            held = {domain.name: list(domain.records.values()) for domain in self._domains.values()}
        return [Zone(name, tuple(_entry(record) for record in records)) for name, records in held.items()]


def refused(wanted: HostedRecord, others: Iterable[HostedRecord]) -> bool:
    """Whether Porkbun would not take it beside the others: a duplicate, or a CNAME or ALIAS that is not alone."""
    beside = [other for other in others if other.name == wanted.name]
    if any((other.type, other.content) == (wanted.type, wanted.content) for other in beside):
        return True
    types = {other.type for other in beside}
    if wanted.type == "CNAME":
        return bool(types)
    if wanted.type == "ALIAS":
        return bool(types & {"A", "AAAA", "ALIAS", "CNAME"})
    return "CNAME" in types or (wanted.type in {"A", "AAAA"} and "ALIAS" in types)


def _record(record_id: str, domain: str, draft: RecordDraft) -> HostedRecord:
    name = plain(f"{draft.sub}.{domain}") if draft.sub else plain(domain)
    content = draft.content.rstrip(".") if draft.type in {"CNAME", "ALIAS", "NS", "MX"} else draft.content
    return HostedRecord(record_id, name, draft.type, content, max(draft.ttl, TTL_FLOOR), draft.prio, draft.notes)


def _entry(record: HostedRecord) -> ZoneEntry:
    value = record.content
    if record.type in {"MX", "SRV"}:
        value = f"{record.prio} {value}"
    if record.type == "TXT" and not value.startswith('"'):
        parts = [value[at : at + 200] for at in range(0, len(value), 200)]
        value = " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)
    return ZoneEntry(record.name, record.type, record.ttl, value)
