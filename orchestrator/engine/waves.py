"""In which order many tenants are changed: canaries first, then some at a time, and when to stop. Pure.

A tenant is only a name here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.engine.runner import Ending, Report
from orchestrator.engine.step import STACK, Subject, tenant_of
from orchestrator.errors import Outcome


@dataclass(frozen=True, slots=True)
class WavePolicy:
    """How many go together, and what stops the rest. `canaries` go first; unless all succeed, no other is begun."""

    canaries: tuple[Subject, ...] = ()
    max_parallel: int | None = None
    """How many are changed at the same time; None: as many as may fail, else all."""
    max_failures: int | None = None
    """Once this many have failed, no other starts; None: failures stop nothing."""

    @property
    def wanted(self) -> bool:
        """Whether anything of it was asked for."""
        return self != WavePolicy()


def waves(
    policy: WavePolicy, subjects: Collection[Subject], quiet: Collection[Subject] = ()
) -> tuple[tuple[Subject, ...], ...]:
    """The waves, in order. Those that are `quiet` need no change: they come last, all together."""
    first = tuple(one for one in policy.canaries if one in subjects)
    rest = sorted(set(subjects) - set(first))
    busy = [one for one in rest if one not in quiet]
    size = policy.max_parallel or policy.max_failures or max(1, len(busy))
    some = [tuple(busy[at : at + size]) for at in range(0, len(busy), size)]
    return tuple(wave for wave in (first, *some, tuple(one for one in rest if one in quiet)) if wave)


def stop_reason(
    policy: WavePolicy, done: Collection[Subject], failed: Collection[Subject], *, shared: bool = False
) -> str:
    """Why no further wave may start after those that are `done`; empty: one may. `shared`: what all need failed."""
    if shared:
        return "what all of them need failed"
    tried = [one for one in policy.canaries if one in failed]
    if tried:
        return f"{', '.join(tried)} went first and failed"
    if policy.max_failures is not None and len(failed) >= policy.max_failures:
        return f"{len(failed)} of {len(done)} failed"
    return ""


@dataclass(frozen=True, slots=True)
class WavesResult:
    """What became of all waves."""

    report: Report = field(default_factory=lambda: Report({}))
    not_begun: tuple[Subject, ...] = ()
    why: str = ""
    """Why those were not begun."""

    @property
    def failed(self) -> tuple[Subject, ...]:
        """Those for whom a step failed."""
        return failed_in(self.report)


def run_waves(
    policy: WavePolicy, order: Sequence[Sequence[Subject]], run: Callable[[Sequence[Subject]], Report]
) -> WavesResult:
    """Run one wave after the other, until one of them stops the rest."""
    result, done = WavesResult(), list[Subject]()
    for at, wave in enumerate(order):
        report = _after(result.report, run(wave))
        done += wave
        result = WavesResult(report)
        shared = any(STACK in step and step[STACK].outcome is not Outcome.SUCCEEDED for step in report.endings.values())
        left = tuple(one for later in order[at + 1 :] for one in later)
        if left and (why := stop_reason(policy, done, result.failed, shared=shared)):
            return WavesResult(report, left, why)
    return result


def failed_in(report: Report) -> tuple[Subject, ...]:
    """Those for whom a step failed: the tenants, also where it was one of their services."""
    bad = {who for step in report.endings.values() for who, end in step.items() if end.outcome is not Outcome.SUCCEEDED}
    return tuple(sorted({tenant_of(who) for who in bad} - {STACK}))


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
