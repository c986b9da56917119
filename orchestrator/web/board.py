"""What is known of each stack: its status, looked at again and again, and the last run that is recorded here.

It only looks. What is shown is made of events, which hold no secret.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator import workflows
from orchestrator.errors import OrchestratorError, Outcome
from orchestrator.events import Event, StepFailed
from orchestrator.render import report
from orchestrator.render.report.board import BoardRow, board_page
from orchestrator.workflows import Caller, Cancellation, StackRef
from orchestrator.workflows.history import LAST, run_of

MOST = 8
"""Stacks that are looked at at the same time."""
_END_SECONDS = 30.0
"""What the looks that are under way get to end."""


@dataclass(frozen=True, slots=True)
class LastLook:
    """At one stack. `page` is empty where it came to none; then `problem` says why."""

    outcome: str
    at: datetime
    page: str
    problem: str


class LiveBoard:
    """Looks at all stacks, waits `every` seconds, and looks again; gives pages of what was seen last."""

    def __init__(self, stacks: Mapping[str, StackRef], folder: Path, every: float, now: Callable[[], datetime]) -> None:
        """`folder` takes pages while they are made."""
        self._stacks = stacks
        self._folder = folder
        self._every = every
        self._now = now
        self._seen: dict[str, LastLook] = {}
        self._over = threading.Event()
        self._cancellation = Cancellation()
        self._thread = threading.Thread(target=self._work, name="looks", daemon=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the stacks."""
        return tuple(self._stacks)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what is under way ends at its next wait."""
        self._over.set()
        self._cancellation.request()
        self._thread.join(_END_SECONDS)

    def overview(self) -> str:
        """All stacks, on one page."""
        return board_page([self._row(name) for name in self._stacks])

    def status(self, name: str) -> str:
        """The page of what was seen last at this stack; without one, the overview, which says why."""
        seen = self._seen.get(name)
        return seen.page if seen and seen.page else board_page([self._row(name)], "../")

    def last_run(self, name: str) -> str | None:
        """The page of the run that was recorded last, as far as it is; None: none is."""
        try:
            return report.page(report.of(run_of(self._stacks[name], LAST)))
        except OrchestratorError:
            return None

    def _row(self, name: str) -> BoardRow:
        seen = self._seen.get(name)
        last = self._last(name)
        if seen is None:
            return BoardRow(name, last_run=last)
        return BoardRow(name, seen.outcome, f"{seen.at.astimezone():%H:%M:%S}", seen.problem, last)

    def _last(self, name: str) -> str:
        try:
            record = run_of(self._stacks[name], LAST)
        except OrchestratorError:
            return ""
        return f"{record.command}: {record.outcome}"

    def _work(self) -> None:
        with ThreadPoolExecutor(min(MOST, len(self._stacks)), "look") as pool:
            while not self._over.is_set():
                list(pool.map(self._look, self._stacks))
                self._over.wait(self._every)

    def _look(self, name: str) -> None:
        if self._over.is_set():
            return
        file, problems = self._folder / f"{name}.html", list[str]()

        def heard(event: Event) -> None:
            if isinstance(event, StepFailed) and event.detail:
                problems.append(f"{event.detail} [{event.code}]")

        file.unlink(missing_ok=True)
        caller = Caller(cancellation=self._cancellation, words=("serve",))
        outcome = workflows.status(self._stacks[name], workflows.StatusOptions(page=file), emit=heard, caller=caller)
        if outcome is not Outcome.INTERRUPTED:
            page = file.read_text(encoding="utf-8") if file.exists() else ""
            self._seen[name] = LastLook(outcome.word, self._now(), page, "; ".join(problems))
