"""Terraform as a process of its own: its output followed in a file, its end always awaited.

stdout and stderr are unnamed files, never pipes: kill -9 of us then neither stops terraform at its next line (which
would lose the state and leave the lock) nor leaves a file behind. It runs in a session of its own, so that a Ctrl-C
in the terminal reaches it once, through us, and a closed terminal not at all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

TICK = 0.1
"""Seconds between two looks at the output."""

PATIENCE = 5.0
"""Seconds terraform has to end after it was told a second time; then its whole process group is killed."""

_TAIL = 64 * 1024
_OWNER_ONLY = 0o077

OnLine = Callable[[str], None]
Interrupts = Callable[[], int]
"""How often we were asked to stop so far, for callers whose signal handlers only take note (a bool will do)."""


def never() -> int:
    """Nobody asks us to stop but by KeyboardInterrupt."""
    return 0


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How the process ended. `status` is negative for a signal; `complaint` is the end of its stderr."""

    status: int
    interrupted: bool
    complaint: str


@dataclass(slots=True)
class _FileReader:
    """Complete lines of a file that is being written by another process; an unfinished last line only at the end."""

    file: IO[bytes]
    offset: int = 0
    rest: bytes = b""
    lines: deque[str] = field(default_factory=deque)

    def read(self, *, ended: bool) -> None:
        # pread: the child's writes share our file offset, which must not move.
        while chunk := os.pread(self.file.fileno(), _TAIL, self.offset):
            self.offset += len(chunk)
            *complete, self.rest = (self.rest + chunk).split(b"\n")
            self.lines.extend(line.decode(errors="replace") for line in complete)
        if ended and self.rest:
            self.lines.append(self.rest.decode(errors="replace"))
            self.rest = b""


@dataclass(slots=True)
class _Followed:
    """One running process: each `turn` forwards what was asked, waits a tick and delivers new lines."""

    process: subprocess.Popen[bytes]
    reader: _FileReader
    on_line: OnLine
    interrupts: Interrupts
    keyboard: int = 0
    forwarded: int = 0
    deadline: float | None = None
    failure: Exception | None = None

    def turn(self) -> bool:
        """True when the process has ended and every line was delivered."""
        self._forward()
        try:
            self.process.wait(TICK)
        except subprocess.TimeoutExpired:
            ended = False
        else:
            ended = True
        self.reader.read(ended=ended)
        while self.reader.lines:
            self._deliver(self.reader.lines.popleft())
        return ended

    def _forward(self) -> None:
        asked = self.keyboard + int(self.interrupts())
        if asked >= 3 or (self.deadline is not None and time.monotonic() > self.deadline):
            os.killpg(self.process.pid, signal.SIGKILL)
        elif self.forwarded < min(asked, 2):
            self.forwarded += 1
            self.process.send_signal(signal.SIGINT)
            if self.forwarded == 2:
                self.deadline = time.monotonic() + PATIENCE

    def _deliver(self, line: str) -> None:
        if self.failure is not None:
            return
        try:
            self.on_line(line)
        except Exception as failure:  # noqa: BLE001 - a broken display must not break resources half made: it is raised once terraform is done
            self.failure = failure


def follow(
    argv: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    on_line: OnLine,
    interrupts: Interrupts = never,
    private: bool = False,
) -> ProcessEnd:
    """Run to the end, whatever happens, giving each line of stdout to `on_line`.

    KeyboardInterrupt is taken, not raised: the first makes one SIGINT to terraform, which then ends cleanly (lock
    freed, state saved); the second repeats it (terraform gives up at once) and kills the group after `PATIENCE`; the
    third kills at once. What it had started and left running is ended too.

    An exception of `on_line` is raised after the end. `private`: files it makes are 0600.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            argv,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            umask=_OWNER_ONLY if private else -1,
        )
        followed = _Followed(process, _FileReader(out), on_line, interrupts)
        while True:
            try:
                if followed.turn():
                    break
            except KeyboardInterrupt:
                followed.keyboard += 1
        if followed.forwarded:
            _end_what_is_left(process.pid, signal.SIGTERM if followed.forwarded == 1 else signal.SIGKILL)
        if followed.failure is not None:
            raise followed.failure
        size = os.fstat(err.fileno()).st_size
        complaint = os.pread(err.fileno(), _TAIL, max(0, size - _TAIL)).decode(errors="replace")
    return ProcessEnd(process.returncode, followed.forwarded > 0, complaint)


def _end_what_is_left(group: int, by: signal.Signals) -> None:
    """An interrupted terraform kills the shell of a local-exec, but not what that has started: it would go on alone."""
    with suppress(ProcessLookupError):
        os.killpg(group, by)


def hand_over(
    argv: Sequence[str], *, directory: Path, environment: Mapping[str, str], text: str, seconds: float
) -> int | None:
    """Start a program of the user's with `text` on its standard input; its status, or None: killed after `seconds`.

    Its output goes nowhere. Raises OSError when it can't be started.
    """
    process = subprocess.Popen(
        argv,
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with process:
        try:
            process.communicate(text.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None
    return process.returncode


@dataclass(frozen=True, slots=True)
class Captured:
    """What a command that only reads has printed."""

    status: int
    stdout: str
    stderr: str


def capture(argv: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> Captured:
    """Run a command that changes nothing; KeyboardInterrupt kills it."""
    done = subprocess.run(
        argv, cwd=directory, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return Captured(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
