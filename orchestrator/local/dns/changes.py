"""Route 53's change batches while they spread: PENDING first, then INSYNC, and visible to the world only then."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.local.core.pace import Pace

INSYNC_SECONDS = 30.0
"""How long a change takes to reach every name server; AWS says usually below 60 s."""


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """A submitted batch. `before` is what the zone held until it; `due` is when it is INSYNC (monotonic)."""

    id: str
    zone_id: str
    submitted: datetime
    due: float
    before: tuple[Any, ...]


class ChangeBatches:
    """All changes of the cloud. Thread-safe."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._lock = threading.Lock()
        self._all: dict[str, ChangeBatch] = {}

    def submit(self, zone_id: str, before: Sequence[Any]) -> ChangeBatch:
        """A batch was taken."""
        identifier = "C" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(20))
        due = self._pace.monotonic() + self._pace.scaled(INSYNC_SECONDS)
        change = ChangeBatch(identifier, zone_id, self._pace.now(), due, tuple(before))
        with self._lock:
            self._all[identifier] = change
        return change

    def find(self, identifier: str) -> ChangeBatch | None:
        """The change with this id, with or without `/change/`."""
        with self._lock:
            return self._all.get(identifier.removeprefix("/change/"))

    def status(self, change: ChangeBatch) -> str:
        """`PENDING` or `INSYNC`."""
        return "INSYNC" if self._pace.monotonic() >= change.due else "PENDING"

    def published(self, zone_id: str, current: Sequence[Any]) -> tuple[Any, ...]:
        """What the world sees of the zone: the state before its first change that still spreads."""
        with self._lock:
            mine = [change for change in self._all.values() if change.zone_id == zone_id]
        pending = [change for change in mine if self.status(change) == "PENDING"]
        return pending[0].before if pending else tuple(current)
