"""Runs and one run's timeline, for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TextIO

from rich.text import Text

from orchestrator.engine.journal import OPENED, RunRecord
from orchestrator.render import endings
from orchestrator.render.console import Folded, console_of
from orchestrator.render.live import span
from orchestrator.render.tables import Sheet, write

_COLUMNS = ("run", "when", "command", "outcome", "changed", "took", "stack")
_TIME = len("20261130T030000Z")
_MARKS = {
    "step-done": ("✓", "green"),
    "step-failed": ("✗", "bold red"),
    "step-waiting": ("…", "yellow"),
    "change-intended": ("→", "cyan"),
    "change-made": ("←", "cyan"),
    "finding-reported": ("!", "magenta"),
}


def table(records: Iterable[RunRecord], out: TextIO, *, colours: bool | None = None) -> None:
    """One line a run; of its id as much as tells it from the others."""
    found = tuple(records)
    ids = _abbreviated({record.run for record in found})
    shown = Sheet(*_COLUMNS)
    for record in found:
        outcome = Text(printable(record.outcome), style=endings.style(record.outcome))
        took = "" if record.seconds is None else span(record.seconds)
        texts = map(printable, (ids[record.run], _when(record.began), record.command))
        shown.add(*texts, outcome, str(record.changed), took, printable(record.stack))
    write(shown, out, colours=colours)


def _abbreviated(runs: Collection[str]) -> Mapping[str, str]:
    """Each id → its beginning: the time, and more where two began in the same second."""
    enough = next((size for size in range(_TIME, max(map(len, runs), default=0)) if _differ(runs, size)), None)
    return {run: run[:enough] for run in runs}


def _differ(runs: Collection[str], size: int) -> bool:
    return len({run[:size] for run in runs}) == len(runs)


def timeline(record: RunRecord, out: TextIO, *, colours: bool | None = None) -> None:
    """Everything a run did, line by line."""
    console = console_of(out, colours=colours)
    for line in _opening(record.header):
        console.print(Text(line))
    for said in record.lines:
        if said["event"] not in (OPENED, "step-started"):
            console.print(Folded(*_line(said)))
    for change in record.open_changes:
        where = " ".join(filter(None, (_of(change, "step"), _of(change, "subject"))))
        said_so = f"how it ended is not recorded: {where}: {_of(change, 'detail')}"
        console.print(Text(f"         ? {said_so} (the next run looks)", style="yellow"))
    if record.garbled:
        console.print(Text(f"         {record.garbled} unreadable lines", style="yellow"))
    if not record.end:
        console.print(
            Text("unfinished: it is still running, or it was killed; the same command continues", style="yellow")
        )


def as_json(record: RunRecord) -> dict[str, Any]:
    """The line of `orchestrate history --json`."""
    return {
        "run": record.run,
        "began": record.began,
        "command": record.command,
        "stack": record.stack,
        "outcome": record.outcome,
        "changed": record.changed,
        "seconds": record.seconds,
    }


def printable(text: str) -> str:
    """Without what a terminal would obey or can't encode: a record may hold anything."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _opening(header: Mapping[str, Any]) -> Iterable[str]:
    if not header:
        return
    options = header.get("options")
    words = " ".join(map(str, options)) if isinstance(options, list) else _of(header, "command")
    yield f"{_of(header, 'run')}: orchestrate {printable(words)}"
    versions = header.get("versions")
    said = versions.items() if isinstance(versions, Mapping) else ()
    yield f"by {_of(header, 'user')}@{_of(header, 'host')} (process {_of(header, 'pid')}), {_of(header, 'why')}"
    yield printable(f"in {_of(header, 'directory')}, " + ", ".join(f"{name} {value}" for name, value in said))


def _line(said: Mapping[str, Any]) -> tuple[Text, Text]:
    """What stands before its words, and its words."""
    mark, style = _MARKS.get(said["event"], ("•", "bold"))
    subject = _of(said, "subject")
    detail = _of(said, "detail")
    if said["event"] == "run-started":
        detail = f"stack {_of(said, 'stack')}"
    if said["event"] == "run-finished":
        detail = f"{_of(said, 'outcome')}, changed: {_of(said, 'changed')}, {_of(said, 'seconds')} s"
    if said["event"] == "change-made":
        detail = f"{_of(said, 'outcome')}{': ' if detail else ''}{detail}"
    code = f" [{_of(said, 'code')}]" if said.get("code") else ""
    before = Text(f"{_when(_of(said, 'time'), clock=True)} ").append(f"{mark} ", style=style)
    return before.append(f"{_of(said, 'step'):<16} "), Text(f"{f'{subject}: ' if subject else ''}{detail}{code}")


def _of(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key, "")
    return printable(value if isinstance(value, str) else repr(value))


def _when(stamp: str, *, clock: bool = False) -> str:
    try:
        at = datetime.fromisoformat(stamp).astimezone()
    except (ValueError, OverflowError):
        return "        " if clock else "unknown"
    return f"{at:%H:%M:%S}" if clock else f"{at:%Y-%m-%d %H:%M}"
