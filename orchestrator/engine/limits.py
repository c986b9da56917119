"""How long a run, its steps and its waits may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def at_once() -> float:
    """Nobody is waited for."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take: seconds for the run, per step (else the step's own), and between two looks at most.

    `renewal`: seconds that somebody has to sign in again when the credentials end in the middle.
    """

    run: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    poll: float | None = None
    renewal: Callable[[], float] = at_once
