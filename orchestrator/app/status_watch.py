"""Looking at a stack again and again: what `status` shows, once or until everything is up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.app.operation import Operation
from orchestrator.engine.clock import Clock
from orchestrator.engine.looks import Look
from orchestrator.engine.runner import Observation
from orchestrator.engine.step import Subject, Verdict
from orchestrator.events import PartObserved
from orchestrator.render import board

CALM = 30.0
"""Seconds after which a step that had nothing left to do is looked at again while the others are watched."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """One look: the rows of the table, and the verdicts of the steps that a run would make."""

    parts: Sequence[PartObserved]
    verdicts: Mapping[str, Mapping[Subject, Verdict]]


@dataclass
class StatusWatch:
    """Remembers what it saw of steps that are done, so that watching asks AWS little and runs few commands."""

    operation: Operation
    clock: Clock
    _sights: dict[str, Observation] = field(default_factory=dict)
    _seen_at: dict[str, float] = field(default_factory=dict)

    def look(self, together: Callable[[], Look] | None = None) -> StatusView:
        """What is to be seen now; `together`: as a part of a look that has begun already."""
        now = self.clock.monotonic()
        calm = {step for step, sight in self._sights.items() if sight.settled and now - self._seen_at[step] < CALM}
        fresh = self.operation.sights(calm, together)
        self._sights |= fresh
        self._seen_at |= dict.fromkeys(fresh, now)
        rows = board.rows(self.operation.stack, self._sights, self.operation.balancers(), self.operation.tenants)
        in_runs = {step: self._sights[step].verdicts for step in self.operation.steps}
        return StatusView(tuple(rows), in_runs)
