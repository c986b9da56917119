"""What we changed in zones, kept so that it can be put back: one file of JSON lines, written before each change.

A line is an intent: the change may not have happened. Who undoes it (undo.py) compares with what is there now.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from orchestrator.dns.model import Change, Record
from orchestrator.dns.names import bare
from orchestrator.errors import Invalid, Problem

FILE = "dns-undo.jsonl"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of ours: at which provider and in which zone, and what it was."""

    id: str
    time: str
    stack: str
    provider: str
    zone: str
    change: Change


@dataclass(frozen=True, slots=True)
class History:
    """The file of one directory, for one stack. `now` gives the time of a line (UTC)."""

    file: Path
    stack: str
    now: Callable[[], datetime]

    def intend(self, provider: str, zone: str, changes: Iterable[Change]) -> None:
        """Keep what is about to be changed: on the disk when this returns. Raises `Invalid` where it can't be."""
        time = self.now().isoformat(timespec="seconds")
        entries = [HistoryEntry(uuid4().hex, time, self.stack, provider, zone, change) for change in changes]
        self._append([_as_line(entry) for entry in entries])

    def forget(self, entries: Iterable[HistoryEntry]) -> None:
        """These are undone: the next undo goes further back."""
        self._append([{"schema": SCHEMA, "undone": entry.id} for entry in entries])

    def entries(self) -> tuple[HistoryEntry, ...]:
        """The stack's changes that are not undone, the oldest first."""
        lines = self._lines()
        undone = {line["undone"] for line in lines if "undone" in line}
        kept = (_entry(line) for line in lines if "change" in line and line["id"] not in undone)
        return tuple(entry for entry in kept if entry.stack == self.stack)

    def written(self) -> frozenset[str]:
        """Every name that this stack's records were ever led to by us."""
        records = (record for entry in self.entries() for record in entry.change.after)
        return frozenset(bare(value) for record in records if record.is_pointer for value in record.values)

    def remembered(self) -> dict[str, int]:
        """By name: for how many seconds more a resolver may go on giving the answer that our last change replaced."""
        now, left = self.now(), {}
        for entry in self.entries():
            ttls = [record.ttl for record in entry.change.before if record.ttl]
            passed = (now - datetime.fromisoformat(entry.time)).total_seconds()
            left[entry.change.name] = math.ceil(max(ttls, default=0) - passed)
        return {name: seconds for name, seconds in left.items() if seconds > 0}

    def _append(self, lines: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                torn = file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) is not None and file.read(1) != b"\n"
                file.write((("\n" if torn else "") + text).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            fix = "make it writable: no DNS record is changed unless its current value can be saved first"
            raise Invalid(Problem("dns-history-unwritable", str(error), str(self.file), fix)) from None

    def _lines(self) -> list[Mapping[str, Any]]:
        try:
            text = self.file.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(Problem("dns-history-unreadable", str(error), str(self.file), "make it readable")) from None
        read = map(_parsed, text.splitlines())
        return [line for line in read if line.get("schema") == SCHEMA]


def _parsed(line: str) -> Mapping[str, Any]:
    """A line that a crash tore (its change was never sent) says nothing."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _as_line(entry: HistoryEntry) -> dict[str, Any]:
    return {"schema": SCHEMA, **asdict(entry)}


def _entry(line: Mapping[str, Any]) -> HistoryEntry:
    said = line["change"]
    before, after = (tuple(map(_record, said[side])) for side in ("before", "after"))
    change = Change(said["name"], before, after)
    return HistoryEntry(line["id"], line["time"], line["stack"], line["provider"], line["zone"], change)


def _record(said: Mapping[str, Any]) -> Record:
    """Lines of earlier versions know no `kept`."""
    lists = {"values": tuple(said["values"]), "kept": tuple(said.get("kept", ())), "origin": tuple(said["origin"])}
    return Record(**{**said, **lists})
