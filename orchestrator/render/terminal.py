"""For people: one line per event, coloured on a terminal, plain elsewhere; a table of the tenants at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TextIO

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from orchestrator.events import (
    Emit,
    Event,
    FindingReported,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
)
from orchestrator.render.findings import of_doctor

_MARKS = {StepDone: ("✓", "green"), StepFailed: ("✗", "bold red"), StepWaiting: ("…", "yellow")}


class _Console(Console):
    """Leaves a broken pipe to the caller; rich's own would end the program in the middle of a run."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Terminal:
    """Prints events. Lines are never wrapped when the output isn't a terminal, so that they can be searched."""

    def __init__(self, out: TextIO, now: Callable[[], datetime]) -> None:
        self._console = _Console(file=out, highlight=False, soft_wrap=True)
        self._now = now
        self._tenants: dict[str, dict[str, Event]] = {}

    @property
    def emit(self) -> Emit:
        """The `Emit`."""
        return self._emit

    def text(self, text: str) -> None:
        """Print something longer as it is (a plan)."""
        self._console.print(Text(text))

    def _emit(self, event: Event) -> None:
        if isinstance(event, FindingReported) and (event.severity or event.status):
            self._console.print(of_doctor(event))
            return
        if event.step and event.subject:
            self._tenants.setdefault(event.subject, {})[event.step] = event
        if isinstance(event, StepStarted):
            return
        self._console.print(Text(f"{self._now().astimezone():%H:%M:%S} ", style="dim").append_text(_line(event)))
        if isinstance(event, StepFailed | FindingReported) and event.fix:
            self._console.print(Text(f"           fix: {event.fix}", style="cyan"))
        if isinstance(event, RunFinished) and self._tenants:
            self._console.print(self._table())

    def _table(self) -> Table:
        table = Table("tenant", "state", Column("why", no_wrap=True, overflow="ellipsis"), box=None, pad_edge=False)
        for tenant, events in sorted(self._tenants.items()):
            state, style, telling = _standing(events)
            table.add_row(tenant, Text(state, style=style), f"{telling.step}: {telling.detail}")
        return table


def _standing(events: Mapping[str, Event]) -> tuple[str, str, Event]:
    """A tenant's state, its colour, and the event that tells it: of each step's last ones, the worst."""
    for kind, state, style in ((StepFailed, "failed", "red"), (StepWaiting | FindingReported, "pending", "yellow")):
        for event in events.values():
            if isinstance(event, kind):
                return state, style, event
    return "up" if "services" in events else "ok", "green", list(events.values())[-1]


def _line(event: Event) -> Text:
    if isinstance(event, RunStarted):
        return Text(f"orchestrate {event.command}: stack {event.stack}", style="bold")
    if isinstance(event, RunFinished):
        style = "bold green" if event.outcome == "succeeded" else "bold red"
        words = f"{event.outcome}, changed: {event.changed}, {event.seconds:.1f} s, {event.aws_calls} AWS calls"
        return Text(words, style=style)
    mark, style = _MARKS.get(type(event), ("!", "magenta"))
    changed = f" (changed: {event.changed})" if event.changed else ""
    code = f" [{event.code}]" if isinstance(event, StepFailed) else ""
    where = f"{event.step:<16} {event.subject + ': ' if event.subject else ''}"
    return Text(f"{mark} ", style=style).append(f"{where}{event.detail}{code}{changed}", style="")
