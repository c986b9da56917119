"""What pauses have saved: an estimate, from the prices that each pause showed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from orchestrator.fleet.orders import StackResult

MONTH = timedelta(hours=730)
"""Of the prices (`lifecycle/pause/prices.json`)."""


def saved_since(pauses: Sequence[StackResult], resumes: Sequence[StackResult], until: float) -> float:
    """Dollars that the newest pause of a stack has saved; 0 where another resume came after it, or none is known.

    `pauses` and `resumes` are what became of this stack, in any order; `until` in seconds since the epoch.
    """
    began = max((one for one in pauses if one.saving), key=lambda one: one.ended, default=None)
    if began is None or any(one.ended > began.ended and one.changed for one in resumes):
        return 0.0
    return round(began.saving * (timedelta(seconds=until - began.ended) / MONTH), 4)


def total(results: Sequence[StackResult]) -> float:
    """Dollars that all of these resumes say their pauses saved."""
    return sum(one.saved for one in results)
