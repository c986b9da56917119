"""Which calls were made of the cloud, by whom and with how much in their lists: CloudTrail, counted."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TOKENS = frozenset(
    {
        "ContinuationToken",
        "KeyMarker",
        "Marker",
        "NextToken",
        "PaginationToken",
        "StartRecordName",
        "nextToken",
    }
)
"""Arguments that say where a page begins."""


@dataclass(slots=True)
class CallEntry:
    """All calls of one operation by one User-Agent. `sizes`: argument that is a list → most elements it ever had.

    `follows`: how many of them asked for a further page.
    """

    agent: str
    operation: str
    calls: int = 0
    follows: int = 0
    sizes: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For who reads the record from outside."""
        return asdict(self)


@dataclass(slots=True)
class CallRecord:
    """Every call that botocore has an operation for. Thread-safe."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _entries: dict[tuple[str, str], CallEntry] = field(default_factory=dict)

    def note(self, agent: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """It was called once more."""
        sizes = {name: len(value) for name, value in parameters.items() if isinstance(value, list)}
        with self._lock:
            entry = self._entries.setdefault((agent, operation), CallEntry(agent, operation))
            entry.calls += 1
            entry.follows += bool(TOKENS & parameters.keys())
            for name, size in sizes.items():
                entry.sizes[name] = max(size, entry.sizes.get(name, 0))

    def all(self) -> list[dict[str, Any]]:
        """A copy, in the order of first calls."""
        with self._lock:
            return [entry.as_json() for entry in self._entries.values()]

    def write(self, file: Path) -> None:
        """The record as JSON."""
        file.write_text(json.dumps(self.all(), indent=1), encoding="utf-8")
