"""Which calls were made of the cloud, by whom and with how much in their lists: CloudTrail, counted.

Of changes it also says how often the very same one was made: what is sent twice, and taken twice, is seen here.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
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
READS = ("Assume", "BatchGet", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Search", "Select", "Simulate")
"""How the names of operations begin that change nothing."""
ONCE = frozenset({"ClientRequestToken", "clientRequestToken", "clientToken", "ClientToken"})
"""Arguments that are another each time, by botocore."""


@dataclass(slots=True)
class CallEntry:
    """All calls of one operation by one User-Agent. `sizes`: argument that is a list → most elements it ever had.

    `follows`: how many of them asked for a further page. `made`: of an operation that changes something, how often each
    request was taken, by its digest.
    """

    agent: str
    operation: str
    calls: int = 0
    follows: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """For who reads the record from outside."""
        said = {name: getattr(self, name) for name in ("agent", "operation", "calls", "follows")}
        return {**said, "sizes": dict(self.sizes), "made": dict(self.made)}


@dataclass(slots=True)
class CallRecord:
    """Every call that botocore has an operation for. Thread-safe."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _entries: dict[tuple[str, str], CallEntry] = field(default_factory=dict)

    def note(self, agent: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """It was called once more."""
        sizes = {name: len(value) for name, value in parameters.items() if isinstance(value, list)}
        with self._lock:
            entry = self._entry(agent, operation)
            entry.calls += 1
            entry.follows += bool(TOKENS & parameters.keys())
            for name, size in sizes.items():
                entry.sizes[name] = max(size, entry.sizes.get(name, 0))

    def taken(self, agent: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """It was not refused. Of reads nothing more is kept."""
        if operation.partition(".")[2].startswith(READS):
            return
        said = {name: value for name, value in parameters.items() if name not in ONCE}
        text = json.dumps(said, sort_keys=True, default=repr)
        with self._lock:
            self._entry(agent, operation).made[hashlib.blake2b(text.encode(), digest_size=8).hexdigest()] += 1

    def _entry(self, agent: str, operation: str) -> CallEntry:
        return self._entries.setdefault((agent, operation), CallEntry(agent, operation))

    def all(self) -> list[dict[str, Any]]:
        """A copy, in the order of first calls."""
        with self._lock:
            return [entry.as_json() for entry in self._entries.values()]

    def write(self, file: Path) -> None:
        """The record as JSON."""
        file.write_text(json.dumps(self.all(), indent=1), encoding="utf-8")
