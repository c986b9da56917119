"""For people: one line per event, coloured on a terminal, plain elsewhere; a table of the tenants at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orchestrator.events import (
    Emit,
    Event,
    FindingReported,
    LogLine,
    PartObserved,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
    TaskObserved,
)
from orchestrator.render import endings, listing
from orchestrator.render.findings import of_doctor
from orchestrator.render.tables import Sheet

_MARKS = {StepDone: ("✓", "green"), StepFailed: ("✗", "bold red"), StepWaiting: ("…", "yellow")}


LISTINGS = frozenset({"logs", "shell", "tasks"})
"""Commands whose output is what was asked for, without a first and a last line of ours."""


class _Console(Console):
    """Leaves a broken pipe to the caller; rich's own would end the program in the middle of a run."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Terminal:
    """Prints events. Lines are never wrapped when the output isn't a terminal, so that they can be searched."""

    def __init__(self, out: TextIO, now: Callable[[], datetime]) -> None:
        self._console = _Console(file=out, highlight=False, soft_wrap=True, width=None if out.isatty() else 200)
        self._now = now
        self._tenants: dict[str, dict[str, Event]] = {}
        self._parts: dict[tuple[str, str], PartObserved] = {}
        self._tasks: list[TaskObserved] = []
        self._live: Live | None = None
        self._command = ""

    @property
    def _listing(self) -> bool:
        return self._command in LISTINGS

    @property
    def draws(self) -> bool:
        """Whether a picture can be drawn in the place of another one."""
        return self._console.file.isatty() and not self._console.is_dumb_terminal

    @property
    def emit(self) -> Emit:
        """The `Emit`."""
        return self._emit

    def text(self, text: str) -> None:
        """Print something longer as it is (a plan)."""
        self._console.print(Text(text))

    def picture(self, events: Sequence[Event]) -> None:
        """Draw these where the last picture was: a table of the parts, then what is not done."""
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
            self._console.show_cursor(True)  # we may end without a chance to bring it back
        seen = (event for event in events if isinstance(event, PartObserved))
        parts = sorted(seen, key=lambda part: part.state == "up")  # a screen may be too small for all
        open_points = [
            _line(event) for event in events if isinstance(event, StepWaiting | StepFailed | FindingReported)
        ]
        clock = Text(f"{self._now().astimezone():%H:%M:%S}", style="dim")
        self._live.update(Group(clock, listing.parts(parts), *open_points), refresh=True)

    def _emit(self, event: Event) -> None:
        match event:
            case RunStarted(command=command):
                self._command = command
            case PartObserved():
                self._parts[event.part, event.subject] = event
                return
            case TaskObserved():
                self._tasks.append(event)
                return
            case LogLine():
                self._console.print(listing.log_line(event, self._now()))
                return
            case FindingReported(severity=severity, status=status) if severity or status:
                self._console.print(of_doctor(event))
                return
            case RunFinished() if self._live is not None:
                self._live.stop()
        self._told(event)
        if isinstance(event, RunFinished):
            self._summary()
            self._say_what_comes_next(event)

    def _told(self, event: Event) -> None:
        if event.step and event.subject:
            self._tenants.setdefault(event.subject, {})[event.step] = event
        if isinstance(event, StepStarted) or (self._listing and isinstance(event, RunStarted | RunFinished)):
            return
        self._console.print(Text(f"{self._now().astimezone():%H:%M:%S} ", style="dim").append_text(_line(event)))
        if isinstance(event, StepFailed | FindingReported) and event.fix:
            self._console.print(Text(f"           fix: {event.fix}", style="cyan"))

    def _summary(self) -> None:
        """The tables that stand at the end."""
        if self._live is not None:
            return
        if self._parts:
            self._console.print(listing.parts(self._parts.values()))
        elif self._tasks:
            self._console.print(listing.tasks(self._tasks, self._now))
        elif self._tenants:
            self._console.print(self._table())

    def _say_what_comes_next(self, end: RunFinished) -> None:
        """To somebody who sits there; a file is read later, when it may not be so any more."""
        if self.draws and self._command and not self._listing:
            self._console.print(Text(f"next: {endings.next_command(self._command, end.outcome)}", style="dim"))

    def _table(self) -> Sheet:
        sheet = Sheet("tenant", "state", "why")
        for tenant, events in sorted(self._tenants.items()):
            state, style, telling = _standing(events)
            sheet.add(tenant, Text(state, style=style), f"{telling.step}: {telling.detail}")
        return sheet


def _standing(events: Mapping[str, Event]) -> tuple[str, str, Event]:
    """A tenant's state, its colour, and the event that tells it: of each step's last ones, the worst."""
    for kind, state, style in ((StepFailed, "failed", "red"), (StepWaiting | FindingReported, "pending", "yellow")):
        for event in events.values():
            if isinstance(event, kind):
                return state, style, event
    return "up" if "services" in events else "ok", "green", list(events.values())[-1]


def _line(event: Event) -> Text:
    if isinstance(event, RunStarted):
        return Text(f"orchestrate {event.command}{f': stack {event.stack}' * bool(event.stack)}", style="bold")
    if isinstance(event, RunFinished):
        style = f"bold {endings.style(event.outcome)}"
        words = f"{event.outcome}, changed: {event.changed}, {event.seconds:.1f} s, {event.aws_calls} AWS calls"
        return Text(words, style=style)
    mark, style = _MARKS.get(type(event), ("!", "magenta"))
    changed = f" (changed: {event.changed})" if event.changed else ""
    code = f" [{event.code}]" if isinstance(event, StepFailed) else ""
    where = f"{event.step:<16} {event.subject + ': ' if event.subject else ''}"
    return Text(f"{mark} ", style=style).append(f"{where}{event.detail}{code}{changed}", style="")
