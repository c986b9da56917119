"""Changes that were sent once, and of which nobody knows whether they arrived.

What AWS shows is late at times: a look right after the answer was lost may not show a change that was made, and to send
it again then would make it twice. So it is looked for a few times before the same is sent again. A run that ends before
it saw what it had sent leaves the same doubt to the next one, which looks only when AWS must show it (`left`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.engine import journal
from orchestrator.engine.lock import DeadOwner
from orchestrator.errors import OrchestratorError, Outcome, Unheard

WINDOW = 5.0
"""Seconds within which what was changed shows in AWS's answers. Source: measured by others; AWS names no figure."""
LOOKS = 5
"""Looks, with the step's poll between two, that must not show a change before it counts as never arrived."""


@dataclass(slots=True)
class Unconfirmed:
    """Of one step's subjects: how many more looks are due."""

    due: dict[str, int] = field(default_factory=dict)

    def noted(self, subject: str, failure: OrchestratorError) -> OrchestratorError:
        """The same failure; if it leaves a doubt, that is remembered."""
        if isinstance(failure, Unheard):
            self.due[subject] = LOOKS
        return failure

    def looked(self) -> None:
        """One more look was taken."""
        self.due = {subject: looks - 1 for subject, looks in self.due.items() if looks > 1}

    def about(self, subject: str) -> bool:
        """Whether a change of it may have arrived, and may not be visible yet."""
        return subject in self.due


@dataclass(frozen=True, slots=True)
class LeftUnconfirmed:
    """What an earlier run may have sent and did not see, in words; for how many more seconds AWS may not show it."""

    seconds: float
    run: str
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = "; ".join(self.changes[:3]) + (f" and {len(self.changes) - 3} more" if len(self.changes) > 3 else "")
        return f"run {self.run} ended before it saw the result of {what or 'its changes'}, and AWS may not show it yet"


def left(folder: Path, ours: str, dead: DeadOwner | None, now: datetime) -> LeftUnconfirmed | None:
    """The doubt that lasts longest of those that earlier runs left: by their records in `folder`, ours not counted.

    Who died with the lock may have sent something until this moment; of who ended, or whose lock was broken open, the
    record tells when it was last at work. Without a record of the dead anything may have been sent. Raises `Invalid`
    when a record can't be read.
    """
    return max(_doubts(folder, ours, dead, now), key=lambda one: one.seconds, default=None)


def _doubts(folder: Path, ours: str, dead: DeadOwner | None, now: datetime) -> Iterator[LeftUnconfirmed]:
    gone = dead.owner.run if dead else ""
    if dead and dead.silent < WINDOW:
        found = journal.read(folder, gone)
        if found is None or found.unseen:
            yield LeftUnconfirmed(WINDOW - dead.silent, gone, _words(found) if found else ())
    for written, record in journal.written_since(folder, now - timedelta(seconds=WINDOW)):
        if record.run not in (ours, gone) and record.outcome != Outcome.SUCCEEDED.word and record.unseen:
            yield LeftUnconfirmed(min(WINDOW, WINDOW - (now - written).total_seconds()), record.run, _words(record))


def _words(record: journal.RunRecord) -> tuple[str, ...]:
    return tuple(f"{one.get('step')}: {one.get('detail')}" for one in record.unseen)
