"""Who takes locks in the tests, and by which clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from orchestrator.engine.lock import LockOwner

A = LockOwner(run="run-a", command="apply", user="ana", host="laptop", pid=4711, since="2026-01-01T00:00:00+00:00")
B = replace(A, run="run-b", user="ben", host="ci")


@dataclass
class VirtualClock:
    seconds: float = 0.0
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.on_sleep()
