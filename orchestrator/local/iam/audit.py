"""Who asked for what: each authorisation the local cloud decided, as CloudTrail tells it. Empty unless it enforces."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Authorisation:
    """One decision. `principal` is an ARN (`root`: the account itself); `decision` is IAM's word (`allowed` …)."""

    principal: str
    action: str
    resource: str
    decision: str


@dataclass(slots=True)
class Audit:
    """Every authorisation and how often it was decided. Thread-safe."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counted: Counter[Authorisation] = field(default_factory=Counter)

    def note(self, principal: str, action: str, resource: str, decision: str) -> None:
        """It was decided once more."""
        with self._lock:
            self._counted[Authorisation(principal, action, resource, decision)] += 1

    def all(self) -> dict[Authorisation, int]:
        """A copy."""
        with self._lock:
            return dict(self._counted)
