"""What a command changes: guarded by the lock, written down before and after, counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.engine.clock import SystemClock
from orchestrator.engine.journal import Journal, JournalUnwritable
from orchestrator.engine.step import Subject
from orchestrator.errors import Interrupted, OrchestratorError, Outcome, Problem
from orchestrator.events import ChangeIntended, ChangeMade, Recorded, RunFinished
from orchestrator.render.redact import redacted

if TYPE_CHECKING:
    from orchestrator.engine.lock import Lock


class Ledger:
    """The record of a command (none, until it has one) and its changes. Safe from several threads.

    `say` is told once, when the record can't be written any more.
    """

    def __init__(self, clock: SystemClock, redact: Callable[[str], str], say: Callable[[Problem], None]) -> None:
        self.changed = 0
        self.told: list[str] = []
        """Each change that was made, in words."""
        self.journal: Journal | None = None
        self.lock: Lock | None = None
        self._clock = clock
        self._redact = redact
        self._say = say
        self._incomplete = False
        self._mutex = threading.Lock()

    def note(self, event: Recorded) -> None:
        """Write down what happened."""
        if self.journal is None:
            return
        try:
            self.journal.record(redacted(event, self._redact))
        except JournalUnwritable as error:
            with self._mutex:
                news, self._incomplete = not self._incomplete, True
            if news:
                self._say(error.problems[0])

    @contextmanager
    def change(self, step: str, changes: Mapping[Subject, str]) -> Iterator[dict[Subject, int]]:
        """Around each change: not after a request to stop, only while the lock is ours, and recorded as intended.

        Gives the number of changes per subject (1), which may be corrected inside.
        """
        if self._clock.interrupted:
            raise Interrupted(Problem("interrupted", "stopped on request; run the same command again to go on"))
        if self.lock:
            self.lock.check()
        intended = [ChangeIntended(step=step, subject=subject, detail=what) for subject, what in changes.items()]
        if self.journal:
            self.journal.intend(*(redacted(event, self._redact) for event in intended))
        made = dict.fromkeys(changes, 1)
        try:
            yield made
        except BaseException as error:  # an interrupt as well: what was intended has its outcome in the record
            outcome = error.outcome if isinstance(error, OrchestratorError) else Outcome.FAILED
            self._made(step, dict.fromkeys(changes, 0), outcome, str(error))
            raise
        with self._mutex:
            self.told += [f"{step}: {what}{f' ({who})' if who else ''}" for who, what in changes.items() if made[who]]
        self._made(step, made, Outcome.SUCCEEDED)

    def _made(self, step: str, counts: Mapping[Subject, int], outcome: Outcome, detail: str = "") -> None:
        with self._mutex:
            self.changed += sum(counts.values())
        for subject, changed in counts.items():
            self.note(ChangeMade(step=step, subject=subject, detail=detail, changed=changed, outcome=outcome.word))

    def close(self) -> None:
        """Nothing more is written down."""
        if self.journal:
            self.journal.close()

    def cut_short(self, last: RunFinished) -> None:
        """The program ends now, from a signal handler."""
        if self.journal:
            self.journal.last_words(last)
