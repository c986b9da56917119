"""Which subjects that look well are looked into one by one: of few all, of many a sample.

Some of what AWS is asked costs a call for each tenant, and has no batch (target health, task definitions). Of hundreds
of tenants they can't all be asked each time within an account's rates. Those that show any trouble always are; of those
that show none, a sample, which is another one in each command.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.engine.subjects import Subject

FEW = 40
"""Up to so many all are looked into: as many as load balancing lets one ask at a time (its bucket of 40 reads)."""
SAMPLE = 20
"""Of more, so many."""


@dataclass(frozen=True, slots=True)
class CloseLooks:
    """Up to `few` of those that look well are all looked into, of more `SAMPLE` (None: all); `seed` draws which.

    One command draws once: all that it asks, it asks about the same ones. `asked` were named by somebody: always those.
    """

    few: int | None = None
    seed: str = ""
    asked: frozenset[Subject] = frozenset()

    def spared(self, well: Collection[Subject]) -> frozenset[Subject]:
        """Those of the subjects that look well that are not looked into."""
        if self.few is None or len(well) <= self.few:
            return frozenset()
        drawn = sorted(well, key=lambda one: (one not in self.asked, self._lot(one)))
        return frozenset(drawn[SAMPLE:]) - self.asked

    def _lot(self, subject: Subject) -> str:
        return hashlib.sha256(f"{self.seed} {subject}".encode()).hexdigest()
