"""In which order many are changed: one first to try it on, then some at a time, and when no more are begun. Pure.

Used for the tenants of a stack and for the stacks of a fleet: both are names here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.engine.runner import Ending, Report
from orchestrator.engine.step import STACK, Subject
from orchestrator.errors import Outcome


@dataclass(frozen=True, slots=True)
class Care:
    """How carefully. `canaries` go before all others, and unless all of them succeed nobody else is begun."""

    canaries: tuple[Subject, ...] = ()
    at_once: int | None = None
    """How many are changed at the same time; None: as many as may fail, else all."""
    failures: int | None = None
    """After so many that failed, no other is begun; None: that stops nothing."""

    @property
    def wanted(self) -> bool:
        """Whether anything of it was asked for."""
        return self != Care()


def waves(
    care: Care, subjects: Collection[Subject], quiet: Collection[Subject] = ()
) -> tuple[tuple[Subject, ...], ...]:
    """Who goes together, one wave after the other. Those that are `quiet` need no change: they come last, at once."""
    first = tuple(one for one in care.canaries if one in subjects)
    rest = sorted(set(subjects) - set(first))
    busy = [one for one in rest if one not in quiet]
    size = care.at_once or care.failures or max(1, len(busy))
    some = [tuple(busy[at : at + size]) for at in range(0, len(busy), size)]
    return tuple(wave for wave in (first, *some, tuple(one for one in rest if one in quiet)) if wave)


def objection(care: Care, done: Collection[Subject], failed: Collection[Subject], *, shared: bool = False) -> str:
    """Why no other wave may be begun after those who are `done`; empty: it may. `shared`: what all need failed."""
    if shared:
        return "what all of them need failed"
    tried = [one for one in care.canaries if one in failed]
    if tried:
        return f"{', '.join(tried)} went first and failed"
    if care.failures is not None and len(failed) >= care.failures:
        return f"{len(failed)} of {len(done)} failed"
    return ""


@dataclass(frozen=True, slots=True)
class Rolled:
    """What became of all waves."""

    report: Report = field(default_factory=lambda: Report({}))
    not_begun: tuple[Subject, ...] = ()
    why: str = ""
    """Why those were not begun."""

    @property
    def failed(self) -> tuple[Subject, ...]:
        """Those for whom a step did not come true."""
        return failed_in(self.report)


def roll(care: Care, order: Sequence[Sequence[Subject]], run: Callable[[Sequence[Subject]], Report]) -> Rolled:
    """Run one wave after the other, until there is an objection."""
    rolled, done = Rolled(), list[Subject]()
    for at, wave in enumerate(order):
        report = _after(rolled.report, run(wave))
        done += wave
        rolled = Rolled(report)
        shared = any(STACK in step and step[STACK].outcome is not Outcome.SUCCEEDED for step in report.endings.values())
        left = tuple(one for later in order[at + 1 :] for one in later)
        if left and (why := objection(care, done, rolled.failed, shared=shared)):
            return Rolled(report, left, why)
    return rolled


def failed_in(report: Report) -> tuple[Subject, ...]:
    """Those for whom a step did not come true."""
    bad = {who for step in report.endings.values() for who, end in step.items() if end.outcome is not Outcome.SUCCEEDED}
    return tuple(sorted(bad - {STACK}))


def _after(before: Report, report: Report) -> Report:
    """Both; of what a step says twice (of the whole stack) the later ending counts, with the changes of both."""
    endings: dict[str, Mapping[Subject, Ending]] = dict(before.endings)
    for step, found in report.endings.items():
        known = endings.get(step, {})
        again = {
            who: replace(end, changed=end.changed + known[who].changed) for who, end in found.items() if who in known
        }
        endings[step] = {**known, **found, **again}
    return Report(endings)
