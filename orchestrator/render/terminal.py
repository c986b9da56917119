"""For people: one line per event, coloured on a terminal, plain elsewhere; a table of the tenants at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from enum import Enum
from typing import TextIO

from rich.console import Group
from rich.live import Live
from rich.text import Text

from orchestrator.events import (
    Emit,
    Event,
    FindingReported,
    LogLine,
    PartObserved,
    ResourceProgress,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
    TaskObserved,
)
from orchestrator.render import endings, links, listing
from orchestrator.render.console import Folded, console_of
from orchestrator.render.findings import of_doctor
from orchestrator.render.live import LiveView
from orchestrator.render.progress import Progress
from orchestrator.render.tables import Sheet
from orchestrator.render.tenant_states import STYLES, TenantState, tenant_states

_MARKS = {
    StepStarted: ("▸", "dim"),
    StepDone: ("✓", "green"),
    StepFailed: ("✗", "bold red"),
    StepWaiting: ("…", "yellow"),
}

LISTINGS = frozenset({"logs", "shell", "tasks"})
"""Commands whose output is only what was requested, without our first and last line."""


class Verbosity(Enum):
    """How much is said."""

    QUIET = "quiet"
    """No progress: what failed or was found, what was asked for, and how it ended."""
    NORMAL = "normal"
    VERBOSE = "verbose"
    """The beginning of each step too."""


class Terminal:
    """Prints events. Lines are never wrapped when the output isn't a terminal, so that they can be searched."""

    def __init__(
        self,
        out: TextIO,
        now: Callable[[], datetime],
        *,
        verbosity: Verbosity = Verbosity.NORMAL,
        colours: bool | None = None,
        watched: Progress | None = None,
        command: str = "",
    ) -> None:
        """`colours` None: on a terminal alone. `watched`: where a picture can be drawn, one of this, until the end.

        `command` is what was typed: a run that ends before it knows its stack never says it.
        """
        self._console = console_of(out, colours=colours)
        self._view = LiveView(self._console, watched, now) if watched is not None and self.draws else None
        if self._view is not None:
            self._view.start()
        self._now = now
        self._verbosity = verbosity
        self._said: list[Event] = []
        self._parts: dict[tuple[str, str], PartObserved] = {}
        self._tasks: list[TaskObserved] = []
        self._live: Live | None = None
        self._command = command

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

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing moves, while somebody types an answer."""
        with self._view.held() if self._view is not None else nullcontext():
            yield

    def close(self) -> None:
        """Nothing is drawn any more."""
        if self._view is not None:
            self._view.stop()
        if self._live is not None:
            self._live.stop()

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
            Folded(*_line(event)) for event in events if isinstance(event, StepWaiting | StepFailed | FindingReported)
        ]
        clock = Text(f"{self._now().astimezone():%H:%M:%S}", style="dim")
        self._live.update(Group(clock, listing.parts(parts), *open_points), refresh=True)

    def _emit(self, event: Event) -> None:
        if self._view is not None:
            self._view.take(event)
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
                self._console.print(*of_doctor(event), sep="\n")
                return
            case RunFinished():
                self.close()
        self._told(event)
        if isinstance(event, RunFinished):
            self._summary()
            self._say_what_comes_next(event)

    def _told(self, event: Event) -> None:
        self._said.append(event)
        if self._is_left_out(event):
            return
        before, words = _line(event)
        clock = (f"{self._now().astimezone():%H:%M:%S} ", "dim")
        self._console.print(Folded(Text.assemble(clock, before), words))
        if isinstance(event, StepFailed | FindingReported) and event.fix:
            self._console.print(Text(f"           fix: {event.fix}", style="cyan"))

    def _is_left_out(self, event: Event) -> bool:
        if isinstance(event, ResourceProgress):
            return True
        if isinstance(event, StepStarted):
            return self._verbosity is not Verbosity.VERBOSE or self._listing
        if isinstance(event, RunStarted | RunFinished) and self._listing:
            return True
        if isinstance(event, StepWaiting) and self._view is not None:
            return self._verbosity is not Verbosity.VERBOSE  # it is seen below, as long as it lasts
        return self._verbosity is Verbosity.QUIET and isinstance(event, RunStarted | StepWaiting | StepDone)

    def _summary(self) -> None:
        """The tables that stand at the end."""
        if self._live is not None:
            return
        if self._parts:
            self._console.print(listing.parts(self._parts.values()))
        elif self._tasks:
            self._console.print(listing.tasks(self._tasks, self._now))
        elif self._verbosity is not Verbosity.QUIET and (tenants := tenant_states(self._said)):
            self._console.print(_table(tenants))

    def _say_what_comes_next(self, end: RunFinished) -> None:
        """To somebody who sits there; a file is read later, when it may not be so any more."""
        if self.draws and self._command:
            self._console.print(Text(f"next: {endings.next_command(self._command, end.outcome)}", style="dim"))


def _table(tenants: Sequence[TenantState]) -> Sheet:
    sheet = Sheet("tenant", "state", "why")
    for one in tenants:
        sheet.add(one.tenant, Text(one.state, style=STYLES[one.state]), f"{one.event.step}: {one.event.detail}")
    return sheet


def _line(event: Event) -> tuple[Text, Text]:
    """What stands before its words, and its words."""
    if isinstance(event, RunStarted):
        return Text(), Text(f"orchestrate {event.command}{f': stack {event.stack}' * bool(event.stack)}", style="bold")
    if isinstance(event, RunFinished):
        style = f"bold {endings.style(event.outcome)}"
        words = f"{event.outcome}, changed: {event.changed}, {event.seconds:.1f} s, {event.aws_calls} AWS calls"
        return Text(), Text(words, style=style)
    mark, style = _MARKS.get(type(event), ("!", "magenta"))
    changed = f" (changed: {event.changed})" if event.changed else ""
    told = Text(f"{event.subject + ': ' if event.subject else ''}{event.detail}")
    if isinstance(event, StepFailed):
        told.append(" ").append_text(links.code(event.code))
    return Text.assemble((f"{mark} {event.step:<16} ", style)), told.append(changed)
