"""What a command changes: guarded by the lock, written down before and after, counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.engine.clock import SystemClock
from orchestrator.engine.journal import Journal, JournalUnwritable
from orchestrator.engine.step import Subject
from orchestrator.errors import Interrupted, OrchestratorError, PartlyFailed, Problem, TimedOut, Transient
from orchestrator.events import UNKNOWN, ChangeIntended, ChangeMade, Recorded, RunFinished
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

        Gives the number of changes per subject (1), which may be corrected inside. An error is recorded for whom it is
        about; of a `PartlyFailed` the others' changes were made.
        """
        if self._clock.interrupted:
            raise Interrupted(Problem("interrupted", "stopped on request; run the same command again to continue"))
        if self.lock:
            self.lock.check()
        intended = [ChangeIntended(step=step, subject=subject, detail=what) for subject, what in changes.items()]
        if self.journal:
            self.journal.intend(*(redacted(event, self._redact) for event in intended))
        made = dict.fromkeys(changes, 1)
        try:
            yield made
        except PartlyFailed as error:
            self._ended(step, changes, made, error.failures)
            raise
        except BaseException as error:  # an interrupt as well: what was intended has its outcome in the record
            self._ended(step, changes, made, dict.fromkeys(changes, error))
            raise
        self._ended(step, changes, made, {})

    def _ended(
        self,
        step: str,
        changes: Mapping[Subject, str],
        made: Mapping[Subject, int],
        errors: Mapping[Subject, BaseException],
    ) -> None:
        arrived = {who: count for who, count in made.items() if who not in errors}
        with self._mutex:
            self.changed += sum(arrived.values())
            self.told += [
                f"{step}: {changes[who]}{f' ({who})' if who else ''}" for who, some in arrived.items() if some
            ]
        for who in made:
            if who in arrived:
                self.note(ChangeMade(step=step, subject=who, changed=arrived[who]))
            else:
                word, detail = _word(errors[who]), str(errors[who])
                self.note(ChangeMade(step=step, subject=who, detail=detail, outcome=word))

    @property
    def so_far(self) -> str:
        """What has been changed until now, in words."""
        made = self.told
        if not made:
            return "nothing was changed"
        more = f" and {len(made) - 20} more" if len(made) > 20 else ""
        return f"already changed: {'; '.join(made[:20])}{more}"

    def close(self) -> None:
        """Nothing more is written down."""
        if self.journal:
            self.journal.close()

    def cut_short(self, last: RunFinished) -> None:
        """The program ends now, from a signal handler."""
        if self.journal:
            self.journal.record_at_the_end(last)


def _word(error: BaseException) -> str:
    """How a change ended that raised this: without an answer nobody knows whether it arrived."""
    if isinstance(error, Transient | TimedOut) or not isinstance(error, OrchestratorError):
        return UNKNOWN
    return error.outcome.word
