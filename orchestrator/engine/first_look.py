"""When each step of a run first looked: what was changed just before may not show, or not answer, for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class FirstLooks:
    """Each step asks about itself alone, in its own thread. `repeated`: a single look has nothing to wait for."""

    repeated: bool = True
    _at: dict[str, datetime] = field(default_factory=dict)

    def within(self, seconds: float, step: str, now: datetime) -> bool:
        """Whether the step looks again and again, and first did so less than `seconds` ago; `now` is this look."""
        return self.repeated and (now - self._at.setdefault(step, now)).total_seconds() < seconds
