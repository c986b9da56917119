"""What a command writes for a browser: the requested page, and a recorded run's `report.html`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import Invalid, Problem
from orchestrator.events import Event, RunFinished, as_json

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.engine.journal import Journal
    from orchestrator.stack.contract import Stack

REPORT = "report.html"
"""Beside the records: the page of the newest run that came to its end."""
UNWRITABLE = "page-unwritable"


class EndPages:
    """Hears what a command says, until it has ended. What it hears holds no secret any more."""

    def __init__(self, file: Path | None, now: Callable[[], datetime]) -> None:
        """`file` is where a page was asked for; None: nowhere."""
        self._file = file
        self._now = now
        self._lines: list[Mapping[str, Any]] = []
        self._picture: list[Mapping[str, Any]] = []
        self._checked: list[Mapping[str, Any]] = []
        self._stack: Stack | None = None
        self._tenants: Sequence[str] = ()

    def check(self) -> None:
        """Raise `Invalid` for a file that could not be written in the end: better before anything takes time."""
        file = self._file
        if file is None or (file.parent.is_dir() and not file.is_dir()):
            return
        self._file = None
        if file.is_dir():
            raise Invalid(Problem(UNWRITABLE, f"{file} is a folder", "--html", "name a file in it"))
        raise Invalid(Problem(UNWRITABLE, f"there is no folder {file.parent}", "--html", "create it first"))

    def heard(self, event: Event) -> None:
        """One more event."""
        if self._file is not None:
            self._lines.append(as_json(event, self._now()))

    def pictured(self, events: Iterable[Event]) -> None:
        """What is to be seen now, instead of the picture before."""
        if self._file is not None:
            self._picture = [as_json(event, self._now()) for event in events]

    def knows(self, stack: Stack, tenants: Sequence[str], blind: Sequence[str] | None = None) -> None:
        """Of these tenants it will be. `blind`: the checks that could not look, of a doctor who looked at all."""
        from orchestrator.render.report import health

        self._stack, self._tenants = stack, tenants
        if blind is not None:
            self._checked = list(health.checked(stack, tenants, blind))

    def write(self, header: Mapping[str, Any], finished: RunFinished, journal: Journal | None) -> Iterator[Problem]:
        """The page that was asked for, if one was; gives why it isn't there."""
        if self._file is None:
            return
        from orchestrator.engine import journal as journals

        recorded = journals.read(journal.path.parent, journal.run) if journal else None
        lines = recorded.lines if recorded else ({"event": journals.OPENED, **header}, *self._lines)
        run = journal.run if journal else ""
        yield from self._written(self._file, run, [*lines, *self._picture, *self._checked], finished)

    def leave(self, finished: RunFinished, journal: Journal | None) -> Iterator[Problem]:
        """`report.html` beside the record, if there is a record; gives why it isn't there."""
        if journal is None:
            return
        from orchestrator.engine.journal import read

        recorded = read(journal.path.parent, journal.run)
        lines = [*recorded.lines, *self._checked] if recorded else []
        yield from self._written(journal.path.parent / REPORT, journal.run, lines, finished)

    def _written(
        self, file: Path, run: str, lines: Sequence[Mapping[str, Any]], finished: RunFinished
    ) -> Iterator[Problem]:
        from orchestrator.engine.journal import OPENED, RunRecord
        from orchestrator.render import report

        header = lines[0] if lines and lines[0]["event"] == OPENED else {}
        record = RunRecord(run, (*lines, as_json(finished, self._now())), header=header)
        try:
            _replace(file, report.page(report.of(record, self._stack, self._tenants)))
        except OSError as error:
            fix = "free some space, or make the folder writable"
            yield Problem(UNWRITABLE, f"{error.strerror or error}", str(file), fix)


def _replace(file: Path, text: str) -> None:
    """The whole file or none of it, readable by its owner alone."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        Path(name).replace(file)
    except BaseException:  # also Ctrl-C: no half page stays
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise
