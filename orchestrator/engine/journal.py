"""The record of a run: JSON lines, each written by one call, intents on disk before the change is made.

History only: what is true is observed. A run asks the records of those before it for one thing, what they may have
sent a moment ago and did not see (`doubts.left`): AWS may not show that yet. Reading never fails on content: a torn
last line (kill, full disk) and garbage are passed over and counted.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.errors import Invalid, OrchestratorError, Outcome, Problem
from orchestrator.events import UNKNOWN, Recorded, as_json

FOLDER = Path(".orchestrate") / "runs"
"""Where records are, below Terraform's directory."""
OPENED = "run-opened"
"""The first line: who, where, why, with which options and versions."""
MAXIMUM = 1e9
"""Seconds no run takes: more, or no number at all, is garbage."""
_FIX = "free some space or make the folder writable, or name another one with --journal-dir"


def run_id(now: datetime, suffix: str) -> str:
    """The name of a run: when (UTC), and something that tells apart those begun in the same second."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{suffix}"


class JournalUnwritable(OrchestratorError):
    """A change could not be recorded, so it was not made."""


class Journal:
    """The record of one run, being written. Safe from several threads.

    The file is readable by its owner only, its folder too. Raises `Invalid` (`journal-unwritable`) when it can't be
    begun: nothing was changed yet.
    """

    def __init__(self, folder: Path, run: str, now: Callable[[], datetime], header: Mapping[str, Any]) -> None:
        self.path = folder / f"{run}.jsonl"
        self.run = run
        self._now = now
        self._lock = threading.Lock()
        self._gap = False
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            self._write([{"time": _stamp(now()), "event": OPENED, "run": run, **header}], durable=True)
        except OSError as error:
            raise Invalid(self._problem(error, "nothing was changed")) from None

    def record(self, event: Recorded) -> None:
        """Add what happened. Raises `JournalUnwritable`: the caller says so once and goes on."""
        self._add([event], durable=False, what="the record of this run is incomplete")

    def intend(self, *events: Recorded) -> None:
        """Add what is about to be changed; it is on disk when this returns. Raises `JournalUnwritable`: don't."""
        self._add(events, durable=True, what="what isn't recorded isn't changed")

    def record_at_the_end(self, event: Recorded) -> None:
        """Add the last event from a signal handler, where no lock may be waited for. Never raises."""
        line = json.dumps(as_json(event, self._now()))
        with suppress(OSError):
            os.write(self._file, f"\n{line}\n".encode())

    def close(self) -> None:
        """No more will come."""
        with self._lock, suppress(OSError):
            os.close(self._file)

    def _add(self, events: Iterable[Recorded], *, durable: bool, what: str) -> None:
        try:
            with self._lock:
                self._write([as_json(event, self._now()) for event in events], durable=durable)
        except OSError as error:
            raise JournalUnwritable(self._problem(error, what)) from None

    def _write(self, lines: Iterable[Mapping[str, Any]], *, durable: bool) -> None:
        data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode(errors="replace")
        # After a line that was written in part, a new one begins on a line of its own.
        data = b"\n" + data if self._gap else data
        self._gap = True
        if os.write(self._file, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if durable:
            os.fsync(self._file)
        self._gap = False

    def _problem(self, error: OSError, what: str) -> Problem:
        return Problem("journal-unwritable", f"{error.strerror or error}; {what}", str(self.path), _FIX)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it was recorded. `lines` are all that could be read; `garbled` counts those that couldn't."""

    run: str
    lines: tuple[Mapping[str, Any], ...]
    garbled: int = 0
    header: Mapping[str, Any] = field(default_factory=dict)

    @property
    def began(self) -> str:
        """When (ISO 8601, UTC); empty when even that is unknown."""
        return _text(self.header.get("time")) or next((_text(line.get("time")) for line in self.lines), "")

    @property
    def command(self) -> str:
        """Which command."""
        return _text(self.header.get("command"))

    @property
    def stack(self) -> str:
        """The stack's name; empty when the run ended before it was known."""
        return next((_text(line.get("stack")) for line in self.lines if line["event"] == "run-started"), "")

    @property
    def end(self) -> Mapping[str, Any] | None:
        """The last event, if the run came to its end."""
        return next((line for line in reversed(self.lines) if line["event"] == "run-finished"), None)

    @property
    def outcome(self) -> str:
        """A word of `errors.Outcome`, or `unfinished`: it still runs, or it was killed."""
        return _text(self.end.get("outcome")) if self.end else "unfinished"

    @property
    def changed(self) -> int:
        """How many changes are recorded as made."""
        if self.end:
            return _number(self.end.get("changed"))
        made = [line for line in self.lines if line["event"] == "change-made" and line.get("outcome") == "succeeded"]
        return sum(_number(line.get("changed")) for line in made)

    @property
    def seconds(self) -> float | None:
        """How long it took; None if it didn't end."""
        said = self.end.get("seconds") if self.end else None
        return float(said) if isinstance(said, float | int) and abs(said) < MAXIMUM else None

    @property
    def open_changes(self) -> tuple[Mapping[str, Any], ...]:
        """Changes that were intended and whose end nobody knows: a later run has to look, and does."""
        waiting: dict[tuple[str, str], Mapping[str, Any]] = {}
        for line in self.lines:
            key = (_text(line.get("step")), _text(line.get("subject")))
            told = line["event"] == "change-made" and line.get("outcome") != UNKNOWN
            if line["event"] == "change-intended":
                waiting[key] = line
            elif told or line["event"] == "step-done":
                waiting.pop(key, None)
        return tuple(waiting.values())

    @property
    def unseen(self) -> tuple[Mapping[str, Any], ...]:
        """Changes that may have arrived, and of which the run did not see afterwards that they are true."""
        waiting: dict[tuple[str, str], Mapping[str, Any]] = {}
        for line in self.lines:
            key = (_text(line.get("step")), _text(line.get("subject")))
            refused = line["event"] == "change-made" and line.get("outcome") not in (UNKNOWN, Outcome.SUCCEEDED.word)
            if line["event"] == "change-intended":
                waiting[key] = line
            elif refused or line["event"] == "step-done":
                waiting.pop(key, None)
        return tuple(waiting.values())


def parse(run: str, data: bytes) -> RunRecord:
    """Read a record, whatever is in it."""
    lines: list[Mapping[str, Any]] = []
    garbled = 0
    for raw in data.split(b"\n"):
        if not raw.strip():
            continue
        line = _line(raw)
        if line is None:
            garbled += 1
        else:
            lines.append(line)
    header = lines[0] if lines and lines[0]["event"] == OPENED else {}
    return RunRecord(run, tuple(lines), garbled, header)


def records(folder: Path, newest: int | None = None) -> list[RunRecord]:
    """The runs of a folder (all, or so many), the newest first. Raises `Invalid` when it is there but can't be read."""
    with _readable(folder):
        files = sorted(folder.glob("*.jsonl"), reverse=True)[:newest]
        return [parse(file.stem, file.read_bytes()) for file in files]


def read(folder: Path, run: str) -> RunRecord | None:
    """The record of one run; None: there is none here. Raises `Invalid` when it can't be read."""
    file = folder / f"{run}.jsonl"
    with _readable(folder):
        return parse(run, file.read_bytes()) if run and file.exists() else None


def written_since(folder: Path, when: datetime) -> list[tuple[datetime, RunRecord]]:
    """The runs that wrote something since then, each with when it last did. Raises `Invalid` as `records` does."""
    with _readable(folder):
        times = {file: datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in folder.glob("*.jsonl")}
        return [(at, parse(file.stem, file.read_bytes())) for file, at in times.items() if at >= when]


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fix = "run it as the user who made the records"
        raise Invalid(Problem("journal-unreadable", str(error.strerror), str(folder), fix)) from None


def _line(raw: bytes) -> Mapping[str, Any] | None:
    try:
        said = json.loads(raw.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and isinstance(said.get("event"), str) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
