"""One run per stack: who holds the lock, and how a run waits for it. Where it is kept is a `Lock` of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Protocol

from orchestrator.engine.clock import Clock
from orchestrator.errors import Locked, Problem

LOOK = 1.0
"""Seconds between two tries to take it."""
REMIND = 15.0
"""Seconds after which a waiting run says again whom it waits for."""


@dataclass(frozen=True, slots=True)
class LockOwner:
    """Whose the lock is. `since` is ISO 8601, UTC; `run` names the record in its journal."""

    run: str = ""
    command: str = ""
    user: str = ""
    host: str = ""
    pid: int = 0
    since: str = ""

    def __str__(self) -> str:
        if not self.run:
            return "another run (its owner is not recorded yet)"
        who = f"{self.user}@{self.host}, process {self.pid}"
        return f"`orchestrate {self.command}` of {who}, since {self.since} (run {self.run})"

    def as_json(self) -> bytes:
        """As it stands beside the lock."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def parse(cls, data: bytes) -> LockOwner:
        """Never fails: what can't be read is left empty."""
        try:
            said = json.loads(data)
        except (ValueError, RecursionError):
            return cls()
        if not isinstance(said, dict):
            return cls()
        kinds = {field.name: int if field.name == "pid" else str for field in fields(cls)}
        return cls(**{name: said[name] for name, kind in kinds.items() if type(said.get(name)) is kind})


@dataclass(frozen=True, slots=True)
class DeadOwner:
    """An owner who died with the lock. `silent`: seconds for which it surely has sent nothing."""

    owner: LockOwner
    silent: float = 0.0


class Lock(Protocol):
    """A place that at most one run holds. Methods raise an `OrchestratorError` when the place can't be reached."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        ...

    @property
    def predecessor(self) -> DeadOwner | None:
        """Whom it was taken over from, when that one died with it."""
        ...

    def take(self, owner: LockOwner) -> LockOwner | None:
        """Take it if it is free or its owner is surely dead. None: it is ours now; else whose it is."""
        ...

    def check(self) -> None:
        """Raise `Locked` (`lock-lost`) unless it is still ours."""
        ...

    def give_back(self) -> Problem | None:
        """It isn't ours any more. Never raises; returns why others may still find it taken, and for how long."""
        ...

    def holder(self) -> LockOwner | None:
        """Whose it is; None when it is free."""
        ...

    def break_open(self) -> None:
        """Free it, whoever holds it; its owner notices at its next `check`."""
        ...


@contextmanager
def held(
    lock: Lock,
    owner: LockOwner,
    *,
    timeout: float,
    clock: Clock,
    say: Callable[[str], None],
    warn: Callable[[Problem], None],
) -> Iterator[None]:
    """Hold the lock, waiting up to `timeout` seconds. Raises `Locked`, naming who has it, when that isn't enough.

    `say` is told whom it waits for, `warn` when it could not be given back.
    """
    deadline = clock.monotonic() + timeout
    said, when = "", 0.0
    while (holder := lock.take(owner)) is not None:
        now = clock.monotonic()
        if now >= deadline:
            fix = "wait with --lock-timeout SECONDS; if that run is certainly dead, `orchestrate unlock`"
            raise Locked(Problem("locked", f"this stack is locked by {holder}", lock.place, fix))
        if str(holder) != said or now - when >= REMIND:
            said, when = str(holder), now
            say(f"waiting for {holder}")
        clock.sleep(min(LOOK, deadline - now))
    try:
        yield
    finally:
        if problem := lock.give_back():
            warn(problem)


def lost(place: str, holder: LockOwner | None) -> Locked:
    """The lock was ours and isn't any more."""
    whose = f"it is now held by {holder}" if holder else "nobody holds it now"
    fix = "run the command again: it continues from what is there"
    return Locked(Problem("lock-lost", f"the lock was taken from this run; {whose}", place, fix))
