"""The one clock of the local cloud: every delay AWS would have, divided by one speed factor."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class Pace:
    """Delays are written as AWS has them (seconds) and waited as `seconds / speed`."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = _positive(speed)
        self._passed, self._since = 0.0, time.monotonic()
        self._stop = threading.Event()

    def go_at(self, speed: float) -> None:
        """From the next delay on divide by another number; delays under way end as they began.

        Raises ValueError if it is not above 0.
        """
        wanted = _positive(speed)
        self._passed, self._since = self.passed(), time.monotonic()
        self.speed = wanted

    def passed(self) -> float:
        """AWS's seconds since it began: they never go back, whatever its speed has been meanwhile."""
        return self._passed + (time.monotonic() - self._since) * self.speed

    def scaled(self, seconds: float) -> float:
        """How many real seconds AWS's `seconds` take here."""
        return seconds / self.speed

    def sleep(self, seconds: float) -> bool:
        """Wait AWS's `seconds`, or less when the cloud goes down. False when it went down."""
        return not self._stop.wait(self.scaled(seconds))

    def stop(self) -> None:
        """Wake every sleeper: the cloud goes down."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether the cloud goes down."""
        return self._stop.is_set()

    @staticmethod
    def monotonic() -> float:
        """Real seconds, for deadlines: `pace.monotonic() + pace.scaled(30)`."""
        return time.monotonic()

    @staticmethod
    def now() -> datetime:
        """The time AWS stamps things with (UTC)."""
        return datetime.now(UTC)


def _positive(speed: float) -> float:
    if speed <= 0:
        raise ValueError(f"speed must be above 0, not {speed}")
    return speed
