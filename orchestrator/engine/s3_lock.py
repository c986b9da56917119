"""The lock as an object beside the state in S3: written only if absent, kept alive, taken over when it is dead.

Who holds it writes it again every `PERIOD` seconds, each time only if it is still the version it wrote last. It is
dead when S3's own clock says that it wasn't written for `DEAD` seconds; the run that takes it over replaces exactly
the dead version, so of several only one succeeds. Clocks of the machines that run this are never compared.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from orchestrator.engine.lock import DeadOwner, LockOwner, lost
from orchestrator.errors import Locked, OrchestratorError, Problem

PERIOD = 20.0
DEAD = 3 * PERIOD


class StoredLock(Protocol):
    """The object as it was read."""

    @property
    def body(self) -> bytes:
        """Its content."""
        ...

    @property
    def version(self) -> str:
        """Its ETag."""
        ...

    @property
    def age(self) -> float:
        """Seconds since it was written, by S3's clock."""
        ...


class Slot(Protocol):
    """One object that is written conditionally. Methods raise `OrchestratorError` when S3 doesn't answer."""

    @property
    def place(self) -> str:
        """Its URL."""
        ...

    def read(self) -> StoredLock | None:
        """None: there is none."""
        ...

    def create(self, body: bytes) -> str | None:
        """Write it if there is none; its version, or None."""
        ...

    def replace(self, body: bytes, version: str) -> str | None:
        """Write it if it is still this version; the new one, or None."""
        ...

    def delete(self, version: str) -> None:
        """Delete it if it is still this version."""
        ...


class S3Lock:
    """See above. `monotonic` counts seconds; `period` and `dead` are shorter in tests only."""

    def __init__(
        self, slot: Slot, monotonic: Callable[[], float], *, period: float = PERIOD, dead: float = DEAD
    ) -> None:
        self._slot = slot
        self._monotonic = monotonic
        self._period, self._dead = period, dead
        self._mutex = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._owner = LockOwner()
        self._version = ""
        self._beats = 0
        self._alive_at = 0.0
        self._taken = False
        self._unheard = False
        self._predecessor: DeadOwner | None = None

    @property
    def place(self) -> str:
        """The object's URL."""
        return self._slot.place

    @property
    def predecessor(self) -> DeadOwner | None:
        """Whose the dead one was: a living process would have written it again every `PERIOD` seconds."""
        return self._predecessor

    def take(self, owner: LockOwner) -> LockOwner | None:
        """One try."""
        self._owner, self._beats, self._taken, self._predecessor = owner, 0, False, None
        asked = self._monotonic()
        version = self._slot.create(self._body())
        if version is None:
            seen = self._slot.read()
            if seen is None:
                return LockOwner()  # given back this moment: the next try finds it free
            version = self._succeed(seen)
            if version is None:
                return LockOwner.parse(seen.body)
        self._version, self._alive_at = version, asked
        self._stop.clear()
        self._thread = threading.Thread(target=self._keep, name="lock", daemon=True)
        self._thread.start()
        return None

    def _succeed(self, seen: StoredLock) -> str | None:
        if self._is_ours(seen):
            return seen.version  # our own first try arrived, only its answer didn't
        version = self._slot.replace(self._body(), seen.version) if seen.age > self._dead else None
        if version is not None:
            self._predecessor = DeadOwner(LockOwner.parse(seen.body), max(0.0, self._dead - self._period))
        return version

    def check(self) -> None:
        """Write it once more. Without an answer it counts as ours for two thirds of the time it takes to be dead."""
        try:
            self._beat()
        except OrchestratorError as error:
            if self._monotonic() - self._alive_at > self._dead * 2 / 3:
                message = f"the lock could not be kept alive: {error.problems[0].message}"
                fix = "run the command again when S3 answers"
                raise Locked(Problem("lock-lost", message, self.place, fix)) from None
        if self._taken:
            holder = None
            with suppress(OrchestratorError):
                holder = self.holder()
            raise lost(self.place, holder)

    def give_back(self) -> Problem | None:
        """Delete it if it is ours; if S3 doesn't answer it dies by itself."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        if self._taken:
            return None
        try:
            self._slot.delete(self._version)
            # Of a write whose answer was lost the version is not known.
            if self._unheard and (seen := self._slot.read()) and self._is_ours(seen):
                self._slot.delete(seen.version)
        except OrchestratorError as error:
            message = f"the lock may still exist: {error.problems[0].message}"
            fix = (
                f"none needed: after {self._dead:.0f} s the next run takes it over; `orchestrate unlock` releases it "
                "sooner"
            )
            return Problem("lock-left", message, self.place, fix)
        return None

    def holder(self) -> LockOwner | None:
        """Whose it is, dead or alive."""
        seen = self._slot.read()
        return LockOwner.parse(seen.body) if seen else None

    def break_open(self) -> None:
        """Delete the version that is there."""
        seen = self._slot.read()
        if seen:
            self._slot.delete(seen.version)

    def _is_ours(self, seen: StoredLock) -> bool:
        """Whoever takes it over writes a run of its own."""
        return LockOwner.parse(seen.body) == self._owner

    def _body(self) -> bytes:
        return self._owner.as_json()[:-1] + f', "beat": {self._beats}}}'.encode()

    def _beat(self) -> None:
        with self._mutex:
            if self._taken:
                return
            asked = self._monotonic()
            self._beats += 1
            self._unheard = True
            version = self._slot.replace(self._body(), self._version)
            if version is None:
                # Refused also after a write of our own, now or earlier, that arrived and whose answer didn't.
                seen = self._slot.read()
                version = self._slot.replace(self._body(), seen.version) if seen and self._is_ours(seen) else None
            self._unheard = False
            if version is None:
                self._taken = True
            else:
                self._version, self._alive_at = version, asked

    def _keep(self) -> None:
        while not self._stop.wait(self._period) and not self._taken:
            with suppress(OrchestratorError):  # `check` tells how long that may last
                self._beat()
