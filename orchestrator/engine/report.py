"""What a run came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.engine.check import PASSING
from orchestrator.engine.step import Subject
from orchestrator.errors import Outcome, Problem

_BAD = Outcome.FAILED, Outcome.REFUSED, Outcome.TIMED_OUT
_SEVERITY = Outcome.INTERRUPTED, Outcome.EXPIRED, Outcome.INVALID, Outcome.LOCKED, *_BAD


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step ended for one subject."""

    outcome: Outcome
    detail: str
    problem: Problem | None = None
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to: endings per step and subject."""

    endings: Mapping[str, Mapping[Subject, Ending]]

    @property
    def changed(self) -> int:
        """How many changes were made."""
        return sum(ending.changed for step in self.endings.values() for ending in step.values())

    @property
    def needs_a_doctor(self) -> bool:
        """Whether something did not come true: the cause may be elsewhere. Not where AWS itself does not answer."""
        endings = [ending for step in self.endings.values() for ending in step.values()]
        deaf = any(ending.problem is not None and ending.problem.code in PASSING for ending in endings)
        deaf = deaf or any(ending.outcome is Outcome.EXPIRED for ending in endings)
        return not deaf and any(ending.outcome in (Outcome.FAILED, Outcome.TIMED_OUT) for ending in endings)

    @property
    def problems(self) -> Sequence[tuple[str, Subject, Problem]]:
        """What steps ended badly with: step, subject, problem."""
        return [
            (step, subject, one.problem)
            for step, endings in self.endings.items()
            for subject, one in endings.items()
            if one.problem is not None
        ]

    @property
    def outcome(self) -> Outcome:
        """The worst ending: a failure outranks a refusal, which outranks a deadline."""
        seen = {ending.outcome for step in self.endings.values() for ending in step.values()}
        return next((outcome for outcome in _SEVERITY if outcome in seen), Outcome.SUCCEEDED)
