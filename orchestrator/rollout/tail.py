"""The logs of several tenants as one: since a moment, in the order of time, each line once however often it is read.

Lines reach CloudWatch some seconds after they are written, and not in their order: so each reading begins a little
before the newest line of the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.aws.logs import LogEvent
from orchestrator.engine.clock import duration
from orchestrator.engine.step import Subject
from orchestrator.errors import Invalid, Problem

AT_ONCE = 8
OVERLAP = timedelta(seconds=15)
_PATTERNS = ("?", '"', "{", "[", "%", "-")
"""What a CloudWatch filter pattern begins with, and a text to look for does not."""


class ReadsLogGroups(Protocol):
    """Log groups."""

    def since(self, group: str, start: datetime, pattern: str = "") -> Iterator[LogEvent]:
        """All events since then that match; KeyError without the group."""
        ...


@dataclass(frozen=True, slots=True)
class Search:
    """Which lines are wanted: a CloudWatch filter pattern, or any of some texts; of one container (empty: all)."""

    pattern: str = ""
    texts: tuple[str, ...] = ()
    container: str = ""

    @classmethod
    def of(cls, grep: Collection[str], container: str = "") -> Search:
        """Raises `Invalid` for a pattern beside something else: CloudWatch takes one."""
        patterns = [one for one in grep if one.startswith(_PATTERNS)]
        if patterns and len(grep) > 1:
            fix = "use one pattern (?ERROR ?Exception), or give plain texts"
            message = f"{patterns[0]} is a filter pattern, and can't be combined with others"
            raise Invalid(Problem("grep-several", message, "--grep", fix))
        return cls(patterns[0] if patterns else "", () if patterns else tuple(grep), container)

    def wants(self, record: LogEvent) -> bool:
        """What CloudWatch is not asked for."""
        ours = not self.container or container_of(record) == self.container
        return ours and self.finds(record.message)

    def finds(self, text: str) -> bool:
        """Whether one of the texts is in it, or none is looked for."""
        return not self.texts or any(one in text for one in self.texts)


def container_of(record: LogEvent) -> str:
    """The container that wrote it; empty for a stream that is not the awslogs driver's."""
    parts = record.stream.split("/")
    return parts[-2] if len(parts) > 1 else ""


def task_of(record: LogEvent) -> str:
    """The id of the task that wrote it."""
    return record.stream.rpartition("/")[2]


@dataclass
class Tail:
    """Reads the groups of tenants again and again. `missing` are tenants whose group does not exist."""

    logs: ReadsLogGroups
    groups: Mapping[Subject, str]
    search: Search
    start: datetime
    missing: set[Subject] = field(default_factory=set)
    _from: dict[Subject, datetime] = field(default_factory=dict)
    _seen: dict[Subject, dict[str, datetime]] = field(default_factory=dict)

    def read(self) -> list[tuple[Subject, LogEvent]]:
        """What is new since the last reading, the oldest first."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            read = pool.map(self._new, self.groups)
            found = [(tenant, record) for tenant, some in zip(self.groups, read, strict=True) for record in some]
        return sorted(found, key=lambda one: one[1].at)

    def _new(self, tenant: Subject) -> list[LogEvent]:
        start, seen = self._from.get(tenant, self.start), self._seen.setdefault(tenant, {})
        try:
            records = list(self.logs.since(self.groups[tenant], start, self.search.pattern))
        except KeyError:
            self.missing.add(tenant)
            return []
        self.missing.discard(tenant)
        fresh = [record for record in records if record.id not in seen]
        newest = max((record.at for record in records), default=start)
        self._from[tenant] = max(self.start, newest - OVERLAP)
        known = seen | {record.id: record.at for record in fresh}
        self._seen[tenant] = {name: at for name, at in known.items() if at >= self._from[tenant]}
        return [record for record in fresh if self.search.wants(record)]


def moment(text: str, now: datetime) -> datetime:
    """What `--since` means: a time (ISO 8601; naive: this machine's), or so long ago (`90s`, `30m`, `1h30m`, `2d`)."""
    with suppress(ValueError):
        return datetime.fromisoformat(text.strip()).astimezone(now.tzinfo)
    with suppress(ValueError, OverflowError):
        return now - duration(text)
    fix = "write how long ago (90s, 30m, 1h30m, 2d) or when (2026-11-25T03:00:00Z)"
    raise Invalid(Problem("since-invalid", f"{text!r} is neither a duration nor a point in time", "--since", fix))
