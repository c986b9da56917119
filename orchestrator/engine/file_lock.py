"""The lock as a file of this machine: the kernel frees it when the process ends, however it ends."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock as KernelLock
from filelock import Timeout

from orchestrator.engine.lock import DeadOwner, LockOwner, lost
from orchestrator.errors import Invalid, Problem


class FileLock:
    """A kernel lock on `path`; `path`.json says whose it is, and is believed only while the lock is held.

    The file itself stays behind: removing it while others wait would give two of them the lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._label = path.with_name(path.name + ".json")
        # Any thread may check it; where the file system has no such locks, no other kind will do.
        self._lock = KernelLock(path, thread_local=False, fallback_to_soft=False)
        self._run = ""
        self._predecessor: DeadOwner | None = None

    @property
    def place(self) -> str:
        """Its path."""
        return str(self._path)

    @property
    def predecessor(self) -> DeadOwner | None:
        """Who left the label behind: it may have lived until this moment."""
        return self._predecessor

    def take(self, owner: LockOwner) -> LockOwner | None:
        """Raises `Invalid` (`lock-unwritable`)."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
            self._run = owner.run
            said = self._said()  # who gives it back takes the label away
            self._predecessor = DeadOwner(said) if said.run else None
            self._write(owner)
        except Timeout:
            return self._said()
        except OSError as error:
            self._lock.release()
            fix = "make the folder writable, or name another one with --lock-dir"
            raise Invalid(Problem("lock-unwritable", error.strerror or str(error), self.place, fix)) from None
        return None

    def check(self) -> None:
        """Ours as long as the label says so: `break_open` takes it away."""
        said = self._said()
        if said.run != self._run:
            raise lost(self.place, self.holder())

    def give_back(self) -> None:
        """Free."""
        with suppress(OSError):
            if self._said().run == self._run:
                self._label.unlink()
        self._lock.release()

    def holder(self) -> LockOwner | None:
        """By trying to take it."""
        probe = KernelLock(self._path, thread_local=False, fallback_to_soft=False)
        if not self._path.exists():
            return None
        try:
            with probe.acquire(blocking=False):
                return None
        except Timeout:
            return self._said()
        except OSError as error:
            fix = "make it readable, or name another folder with --lock-dir"
            raise Invalid(Problem("lock-unreadable", error.strerror or str(error), self.place, fix)) from None

    def break_open(self) -> None:
        """The next run locks a new file; who holds the old one finds its label gone."""
        try:
            self._label.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        except OSError as error:
            fix = "make the folder writable"
            raise Invalid(Problem("lock-unwritable", error.strerror or str(error), self.place, fix)) from None

    def _write(self, owner: LockOwner) -> None:
        new = self._label.with_name(f"{self._label.name}.{os.getpid()}")
        new.write_bytes(owner.as_json())
        new.replace(self._label)

    def _said(self) -> LockOwner:
        try:
            return LockOwner.parse(self._label.read_bytes())
        except OSError:
            return LockOwner()
