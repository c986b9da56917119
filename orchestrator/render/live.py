"""A run to watch: `Progress` as lines of one terminal, redrawn in place at least twice a second.

`drawn` is pure; `LiveView` shows it. What stays when the run has ended is printed above it, by the `Terminal`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orchestrator.events import Event
from orchestrator.render.progress import (
    DONE,
    FAILED,
    TERRAFORM,
    WAITING,
    WORKING,
    Progress,
    ResourceUnderWay,
    StepProgress,
    SubjectProgress,
)

SLOWEST = 3
"""Resources that are named, of those that Terraform is changing."""
WIDE_ENOUGH = 60
"""Columns from which on deadlines are shown."""
_MARKS = {WORKING: ("▸", "cyan"), WAITING: ("…", "yellow"), DONE: ("✓", "green"), FAILED: ("✗", "red")}
_PER_SECOND = 4.0


def drawn(progress: Progress, now: datetime, *, width: int, height: int) -> list[Text]:
    """The picture: no line is wider than the terminal, and together they are no higher. The head is always there."""
    head = " ".join(filter(None, (progress.command, progress.stack)))
    lines = [Text(f"{head} · {span((now - progress.began).total_seconds())}", style="bold")]
    steps = list(progress.steps.values())
    room = max(0, height - 1 - len(steps))
    for step in steps:
        lines.append(_step(progress, step, now))
        below = list(_below(progress, step, now, width))
        shown = below if len(below) <= room else [*below[: max(0, room - 1)], _more(len(below) - max(0, room - 1))]
        lines += shown[:room]
        room -= len(shown[:room])
    if len(steps) == 1 and steps[0].step == TERRAFORM and steps[0].state == DONE and not progress.finished:
        lines.append(Text.assemble(("▸ ", "cyan"), "reading what Terraform made"))
    if not steps and not progress.finished:
        lines.append(Text.assemble(("▸ ", "cyan"), "looking at what is there"))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    # Of more steps than lines the newest are those to watch.
    return lines if len(lines) <= height else [lines[0], *lines[len(lines) - height + 1 :]][:height]


def span(seconds: float) -> str:
    """As `7s`, `3m07s`, `1h02m`."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    if minutes >= 60:
        return f"{minutes // 60}h{minutes % 60:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _step(progress: Progress, step: StepProgress, now: datetime) -> Text:
    mark, style = _MARKS[step.state]
    tenants = step.named.values()
    failed = sum(one.state == FAILED for one in tenants)
    said = [span(((step.ended or now) - step.began).total_seconds())]
    if tenants:
        said.append(f"{sum(one.state == DONE for one in tenants)}/{len(tenants)}")
    if failed:
        said.append(f"{failed} failed")
    if step.step == TERRAFORM and progress.resources_total and step.state == WORKING:
        said.append(f"{progress.resources_done}/{progress.resources_total}")
    left = progress.left(step, now)
    if left is not None and step.state == WORKING:
        said.append(f"about {span(left)} left")
    text = Text.assemble((f"{mark} ", style), (f"{step.step} ", "bold"), " · ".join(said))
    shared = step.shared
    if shared is not None and not (step.step == TERRAFORM and progress.resources):
        text.append(f"  {' '.join(shared.detail.split())}", style="dim")
    elif not step.subjects and step.step != TERRAFORM:
        text.append("  looking", style="dim")
    return text


def _below(progress: Progress, step: StepProgress, now: datetime, width: int) -> Iterator[Text]:
    if step.step == TERRAFORM:
        slowest = sorted(progress.resources.values(), key=lambda one: (one.since, one.address))[:SLOWEST]
        yield from (_resource(one, now) for one in slowest)
    tenants = list(progress.open_first(step))
    room = max((len(one.name) for one in tenants), default=0)
    yield from (_tenant(one, now, width, room) for one in tenants)


def _resource(one: ResourceUnderWay, now: datetime) -> Text:
    seconds = span((now - one.since).total_seconds())
    return Text.assemble(("  … ", "yellow"), f"{seconds} {one.action} {one.address}")


def _tenant(one: SubjectProgress, now: datetime, width: int, room: int) -> Text:
    mark, style = _MARKS[one.state]
    words = one.name.ljust(min(room, width // 3))
    if one.state == WAITING:
        until = f" until {one.until.astimezone(now.tzinfo):%H:%M}" if one.until and width >= WIDE_ENOUGH else ""
        words = f"{words} {span((now - one.since).total_seconds())}{until}"
    return Text.assemble((f"  {mark} ", style), f"{words}  {' '.join(one.detail.split())}")


def _more(many: int) -> Text:
    return Text(f"  … and {many} more", style="dim")


class LiveView:
    """The picture on a terminal, drawn by a thread of its own, so that time is seen to pass while nothing is said."""

    def __init__(self, console: Console, progress: Progress, now: Callable[[], datetime]) -> None:
        self._console = console
        self._progress = progress
        self._now = now
        self._lock = threading.Lock()
        self._live: Live | None = None

    def start(self) -> None:
        """From now on it is seen, below whatever is printed."""
        self._live = Live(
            console=self._console, get_renderable=self._draw, refresh_per_second=_PER_SECOND, transient=True
        )
        self._live.start()
        self._console.show_cursor(True)  # we may end without a chance to bring it back

    def stop(self) -> None:
        """It is gone, and nothing is left in its place. May be called again."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Gone while somebody types an answer."""
        seen = self._live is not None
        self.stop()
        yield
        if seen:
            self.start()

    def take(self, event: Event) -> None:
        """What happened."""
        with self._lock:
            self._progress.take(event, self._now())

    def _draw(self) -> Group:
        with self._lock:
            lines: Sequence[Text] = drawn(
                self._progress, self._now().astimezone(), width=self._console.width, height=self._console.height - 1
            )
        return Group(*lines)
