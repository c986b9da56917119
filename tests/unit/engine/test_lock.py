"""One run per stack, by a file: real files, real processes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import DeadOwner, Lock, LockOwner, held
from orchestrator.errors import Interrupted, Invalid, Locked, Problem
from tests.unit.engine.owners import A, B, VirtualClock

PATIENCE = 240

HOLD = """
import sys
from pathlib import Path
from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import LockOwner
lock = FileLock(Path(sys.argv[1]))
assert lock.take(LockOwner(run="child", user="ana")) is None
print("held", flush=True)
sys.stdin.read()
"""

COUNT = """
import sys
from pathlib import Path
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import LockOwner, held
folder, run = Path(sys.argv[1]), sys.argv[2]
with held(FileLock(folder / "lock"), LockOwner(run=run), timeout=60, clock=SystemClock(), say=print, warn=print):
    inside = folder / "inside"
    inside.touch(exist_ok=False)
    counter = folder / "counter"
    counter.write_text(str(int(counter.read_text()) + 1))
    inside.unlink()
"""


@given(st.binary() | st.text().map(str.encode))
def test_any_label_can_be_read(data: bytes) -> None:
    str(LockOwner.parse(data))


def test_a_label_reads_back_and_what_is_wrong_in_it_is_left_out() -> None:
    assert LockOwner.parse(A.as_json()) == A
    assert LockOwner.parse(b'{"run": "r", "pid": "many", "user": 7, "more": 1}') == LockOwner(run="r")


# files


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.take(A) is None
    assert second.take(B) == A
    assert second.holder() == A
    first.check()
    first.give_back()
    assert second.holder() is None
    assert second.take(B) is None


def test_kill_9_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    waiting = FileLock(path)
    assert waiting.take(B) == LockOwner(run="child", user="ana")
    child.kill()
    child.communicate(timeout=PATIENCE)
    assert waiting.take(B) is None
    waiting.check()


def test_what_a_dead_owner_left_is_inherited(tmp_path: Path) -> None:
    """Whoever dies with the lock may have changed something that nobody wrote down; who gives it back has not."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    child.kill()
    child.communicate()
    heir = FileLock(tmp_path / "lock")
    assert heir.take(A) is None
    assert heir.predecessor == DeadOwner(LockOwner(run="child", user="ana"))
    heir.give_back()
    assert heir.take(B) is None
    assert heir.predecessor is None
    heir.give_back()


def test_eight_processes_go_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    children = [subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path), f"run-{n}"]) for n in range(8)]
    assert [child.wait(timeout=PATIENCE) for child in children] == [0] * 8
    assert (tmp_path / "counter").read_text() == "8"


def test_broken_open_its_owner_notices(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.take(A)
    second.break_open()
    assert second.holder() is None
    with pytest.raises(Locked, match="nobody holds it now"):
        first.check()
    assert second.take(B) is None
    with pytest.raises(Locked, match="ben@ci") as raised:
        first.check()
    assert raised.value.problems[0].code == "lock-lost"
    first.give_back()
    second.check()


def test_where_no_lock_can_be_made_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid) as raised:
        FileLock(tmp_path / "file" / "lock").take(A)
    assert raised.value.problems[0].code == "lock-unwritable"
    assert "--lock-dir" in raised.value.problems[0].fix


# waiting


def waits(
    lock: Lock, owner: LockOwner, clock: VirtualClock, timeout: float, said: list[str]
) -> AbstractContextManager[None]:
    """`held`, with what it says and the codes of what it warns of in one list."""
    return held(lock, owner, timeout=timeout, clock=clock, say=said.append, warn=lambda left: said.append(left.code))


def test_no_wait_is_asked_for(tmp_path: Path) -> None:
    first = _other(tmp_path)
    first.take(A)
    said: list[str] = []
    with pytest.raises(Locked) as raised, waits(_other(tmp_path), B, VirtualClock(), 0, said):
        pytest.fail("it is not ours")
    assert raised.value.problems[0].code == "locked"
    assert "ana@laptop, process 4711" in raised.value.problems[0].message
    assert said == []
    first.give_back()


def test_it_waits_says_for_whom_and_gets_it(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "lock")
    first.take(A)
    clock = VirtualClock()
    clock.on_sleep = lambda: first.give_back() if clock.seconds >= 20 else None
    said: list[str] = []
    with waits(_other(tmp_path), B, clock, 60, said):
        assert clock.seconds == 20
    assert said == [f"waiting for {A}"] * 2
    assert first.take(A) is None


def test_it_waits_no_longer_than_asked(tmp_path: Path) -> None:
    first = _other(tmp_path)
    first.take(A)
    clock = VirtualClock()
    with pytest.raises(Locked), waits(_other(tmp_path), B, clock, 2.5, []):
        pytest.fail("it is not ours")
    assert clock.seconds == 2.5
    first.give_back()


def test_whatever_happens_inside_it_is_given_back(tmp_path: Path) -> None:
    with pytest.raises(Interrupted), waits(_other(tmp_path), A, VirtualClock(), 0, []):
        raise Interrupted(Problem("interrupted", "stop"))
    assert _other(tmp_path).holder() is None


def _other(folder: Path) -> FileLock:
    return FileLock(folder / "lock")
