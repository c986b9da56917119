"""What a public DNS zone holds, whoever hosts it; and which zones the local cloud's name server knows."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

ALIAS = "ALIAS"
"""An entry of this type answers A and AAAA with its target's addresses (Porkbun's ALIAS, Route 53's aliases)."""


@dataclass(frozen=True, slots=True)
class ZoneEntry:
    """One record. Names are absolute, lower case, without the final dot; `value` is in the zone file's form.

    `covers` are the query types an `ALIAS` answers (Route 53 has one alias per type, Porkbun one for both).
    """

    name: str
    type: str
    ttl: int
    value: str
    covers: tuple[str, ...] = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone we are authoritative for. `entries` has the SOA at the apex, or the name server makes one up."""

    name: str
    entries: tuple[ZoneEntry, ...]


ZoneSource = Callable[[], Iterable[Zone]]


class ZoneBook:
    """Who hosts zones. Where two host the same one, the first that was added wins. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: list[ZoneSource] = []
        self._stale: dict[str, Zone] | None = None
        self._answers = itertools.count()

    def freeze(self) -> None:
        """From now on every second answer is from a secondary that has what there is now."""
        self._stale = self.all()

    def thaw(self) -> None:
        """The secondary follows again."""
        self._stale = None

    def seen(self) -> dict[str, Zone]:
        """The zones as the name server that is asked next has them."""
        stale = self._stale
        return stale if stale is not None and next(self._answers) % 2 == 0 else self.all()

    def add(self, source: ZoneSource, *, first: bool = False) -> None:
        """From now on its zones are served; `first` puts it before the others."""
        with self._lock:
            self._sources.insert(0 if first else len(self._sources), source)

    def all(self) -> dict[str, Zone]:
        """Every zone there is now, by name."""
        with self._lock:
            sources = list(self._sources)
        zones: dict[str, Zone] = {}
        for source in sources:
            for zone in source():
                zones.setdefault(zone.name, zone)
        return zones


def plain(name: str) -> str:
    r"""A name as entries have it: lower case, no final dot, Route 53's `\052` as `*`."""
    return name.lower().rstrip(".").replace("\\052", "*")
