"""Time as an argument. Only this file sleeps."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Protocol

from orchestrator.errors import Interrupted, Problem


def duration(text: str) -> timedelta:
    """`90s`, `30m`, `1h30m`, `2d`. ValueError for anything else."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - as heavy as it is, `--help` must not pay for it

    days, _, rest = text.strip().upper().rpartition("D")
    iso = f"P{days}D{f'T{rest}' if rest else ''}" if days else f"PT{rest}"
    return TypeAdapter(timedelta).validate_python(iso)


class Clock(Protocol):
    """What the engine needs to know of time."""

    def now(self) -> datetime:
        """Wall-clock time, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds, for deadlines."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Interrupted` when the run was asked to stop."""
        ...


class SystemClock:
    """The real one. `interrupt` wakes every sleeper, from a signal handler or another thread."""

    def __init__(self) -> None:
        self._interrupted = False
        # Not a threading.Event: a handler that sets one waits for ever when its thread is just entering `wait`, for the
        # lock that this thread holds. Only SimpleQueue.put is documented as safe there.
        self._wake: SimpleQueue[None] = SimpleQueue()

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some fixed point."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, or raise `Interrupted` as soon as the run is asked to stop."""
        try:
            self._wake.get(timeout=max(0.0, seconds))
        except Empty:
            if not self._interrupted:
                return
        else:
            self._wake.put(None)  # for the next sleeper
        raise Interrupted(Problem("interrupted", "stopped on request; run the same command again to continue"))

    def interrupt(self) -> None:
        """Ask the run to stop at its next wait."""
        self._interrupted = True
        self._wake.put(None)

    @property
    def interrupted(self) -> bool:
        """Whether the run was asked to stop."""
        return self._interrupted
