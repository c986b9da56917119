"""What earlier runs sent and did not see: who comes next looks only when AWS must show it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.engine.journal import Journal
from orchestrator.engine.lock import DeadOwner, LockOwner
from orchestrator.engine.unconfirmed import WINDOW, left
from orchestrator.events import UNKNOWN, ChangeIntended, ChangeMade, Recorded, RunFinished, StepDone

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
INTENDED = ChangeIntended(step="redeploy", subject="a", detail="start it again")
MADE = ChangeMade(step="redeploy", subject="a", changed=1)
UNHEARD = ChangeMade(step="redeploy", subject="a", outcome=UNKNOWN)
REFUSED = ChangeMade(step="redeploy", subject="a", outcome="failed")
SEEN = StepDone(step="redeploy", subject="a", changed=1)
OTHER = StepDone(step="redeploy", subject="b")
ENDED, WELL = RunFinished(outcome="interrupted", changed=1), RunFinished(outcome="succeeded", changed=1)
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A run's record whose last line was written so many seconds ago."""

    def made(*events: Recorded, run: str = "before", ago: float = 0.0) -> None:
        journal = Journal(tmp_path, run, lambda: NOW, {"command": "run"})
        for event in events:
            journal.record(event)
        journal.close()
        at = (NOW - timedelta(seconds=ago)).timestamp()
        os.utime(journal.path, (at, at))

    return made


DEAD = DeadOwner(LockOwner(run="before"))
CASES: Mapping[str, tuple[tuple[Recorded, ...], DeadOwner | None, float | None]] = {
    "died with the change in hand": ((INTENDED,), DEAD, WINDOW),
    "died after the change, before it saw it": ((INTENDED, MADE, OTHER), DEAD, WINDOW),
    "died when it had seen it": ((INTENDED, MADE, SEEN), DEAD, None),
    "died before it changed anything": ((), DEAD, None),
    "its change was refused": ((INTENDED, REFUSED), DEAD, None),
    "its change may have arrived": ((INTENDED, UNHEARD), DEAD, WINDOW),
    "seen, then changed once more": ((INTENDED, MADE, SEEN, INTENDED), DEAD, WINDOW),
    "died, silent for a while": ((INTENDED,), DeadOwner(LockOwner(run="before"), 2.0), WINDOW - 2),
    "died, silent for long": ((INTENDED,), DeadOwner(LockOwner(run="before"), 40.0), None),
    "interrupted before it saw it": ((INTENDED, MADE, ENDED), None, WINDOW - 1),
    "interrupted when it had seen it": ((INTENDED, MADE, SEEN, ENDED), None, None),
    "ended well": ((INTENDED, MADE, WELL), None, None),
    "its lock was broken open": ((INTENDED, MADE), None, WINDOW - 1),
}


@pytest.mark.parametrize("name", CASES)
def test_how_long_a_doubt_lasts(tmp_path: Path, write: Write, name: str) -> None:
    events, dead, seconds = CASES[name]
    write(*events, ago=1.0)
    found = left(tmp_path, "ours", dead, NOW)
    assert (found and found.seconds) == seconds
    if found:
        assert "run before" in str(found)
        assert "redeploy: start it again" in str(found)


def test_of_the_dead_without_a_record_anything_may_have_been_sent(tmp_path: Path) -> None:
    found = left(tmp_path, "ours", DeadOwner(LockOwner(run="elsewhere")), NOW)
    assert found
    assert (found.seconds, "its changes" in str(found)) == (WINDOW, True)


def test_what_was_sent_long_ago_is_shown(tmp_path: Path, write: Write) -> None:
    write(INTENDED, ENDED, ago=WINDOW + 1)
    assert left(tmp_path, "ours", None, NOW) is None


def test_our_own_record_leaves_no_doubt_and_of_several_the_longest_counts(tmp_path: Path, write: Write) -> None:
    write(INTENDED, run="ours")
    assert left(tmp_path, "ours", None, NOW) is None
    write(INTENDED, ENDED, run="first", ago=4.0)
    write(INTENDED, ENDED, run="second", ago=2.0)
    found = left(tmp_path, "ours", None, NOW)
    assert (found and found.run, found and found.seconds) == ("second", WINDOW - 2)


def test_a_record_from_the_future_holds_nobody_up_for_longer(tmp_path: Path, write: Write) -> None:
    """Clocks are set, and file servers have their own."""
    write(INTENDED, ENDED, ago=-3600.0)
    found = left(tmp_path, "ours", None, NOW)
    assert (found and found.seconds) == WINDOW


def test_where_there_are_no_records_there_is_no_doubt(tmp_path: Path) -> None:
    assert left(tmp_path / "runs", "ours", None, NOW) is None
