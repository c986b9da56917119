"""Which faults are on, for whoever feels them. What a fault is and does is its own file's, in faults/."""

from __future__ import annotations

import threading

ALL_TENANTS = ""


class Faults:
    """Which faults are on. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: set[tuple[str, str]] = set()

    def active(self, name: str, tenant: str = ALL_TENANTS) -> bool:
        """Whether the fault is on for this tenant (or for all)."""
        with self._lock:
            return (name, tenant) in self._active or (name, ALL_TENANTS) in self._active

    def switch_on(self, name: str, tenant: str = ALL_TENANTS) -> None:
        """From now on it is felt."""
        with self._lock:
            self._active.add((name, tenant))

    def switch_off(self, name: str, tenant: str = ALL_TENANTS) -> None:
        """From now on it is not. With no tenant: for all tenants."""
        with self._lock:
            self._active = {
                (active, whom) for active, whom in self._active if active != name or (tenant not in (ALL_TENANTS, whom))
            }

    def all(self) -> frozenset[tuple[str, str]]:
        """Pairs of fault and tenant (empty: all tenants)."""
        with self._lock:
            return frozenset(self._active)
