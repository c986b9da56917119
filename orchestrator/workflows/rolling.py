"""The steps for some tenants at a time, and the tenants that earlier runs left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.engine.journal import RunRecord
from orchestrator.engine.runner import Report
from orchestrator.engine.step import STACK, Done, Subject, Verdict, tenant_of
from orchestrator.engine.waves import WavePolicy, WavesResult, run_waves, waves
from orchestrator.errors import Invalid, Outcome, Problem, correction
from orchestrator.events import FindingReported
from orchestrator.render.endings import UNFINISHED
from orchestrator.workflows.caller import StackRef, StepOptions
from orchestrator.workflows.execution import Execution
from orchestrator.workflows.history import history

if TYPE_CHECKING:
    from orchestrator.app import Operation

NOT_BEGUN = "tenant-not-begun"
"""Whose turn had not come when the run stopped: so it stands in the record, for each."""
_TELLING = frozenset({"apply", "run", "redeploy", "resume"})
"""Commands whose records tell of each tenant whether it is up."""
_CUT_OFF = frozenset({UNFINISHED, Outcome.INTERRUPTED.word, Outcome.EXPIRED.word})
_AGAIN = "`orchestrate run --failed` continues with only these tenants"


def wave_policy(chosen: StepOptions, tenants: Sequence[str]) -> WavePolicy:
    """How many tenants go together, and what stops the rest. Raises `Invalid` with every defect."""
    numbers = {"--max-parallel": chosen.max_parallel, "--stop-after-failures": chosen.stop_after_failures}
    problems = [
        Problem("setting-invalid", f"{number} is not a number of tenants", option, "give 1 or more")
        for option, number in numbers.items()
        if number is not None and number < 1
    ]
    for name in chosen.canaries:
        if name not in tenants:
            fix = correction(name, tenants, "tenants of this run")
            problems.append(Problem("tenant-unknown", f"there is no tenant {name!r}", "--canary", fix))
    if problems:
        raise Invalid(*problems)
    return WavePolicy(tuple(chosen.canaries), chosen.max_parallel, chosen.stop_after_failures)


def roll_out(execution: Execution, operation: Operation, policy: WavePolicy) -> Report:
    """Run the steps for one wave of tenants after the other; at the end, who failed and who was not begun."""
    began = execution.clock.monotonic()
    order = waves(policy, operation.tenants, quiet_among(operation.tenants, operation.survey()))

    def run(wave: Sequence[Subject]) -> Report:
        number = [*map(tuple, order)].index(tuple(wave)) + 1
        execution.text(f"wave {number} of {len(order)}: {', '.join(wave)}")
        seconds = operation.seconds
        left = None if seconds is None else seconds - (execution.clock.monotonic() - began)
        return operation.of(wave, left).run(execution.emit, execution.change)

    result = run_waves(policy, order, run)
    for event in told(result, len(operation.tenants), execution.command):
        execution.emit(event)
    return result.report


def quiet_among(tenants: Collection[Subject], seen: Mapping[str, Mapping[Subject, Verdict]]) -> tuple[Subject, ...]:
    """Those for whom everything is done already; none, while what all share is not. Pure."""
    open_ = {tenant_of(who) for step in seen.values() for who, verdict in step.items() if not isinstance(verdict, Done)}
    return () if STACK in open_ else tuple(one for one in tenants if one not in open_)


def told(result: WavesResult, all_: int, command: str) -> Iterable[FindingReported]:
    """What is said at the end: who failed, and each that was not begun. Pure."""
    if result.failed:
        detail = f"{len(result.failed)} of {all_} tenants failed: {', '.join(result.failed)}"
        yield FindingReported(step=command, detail=detail, code="tenants-failed", fix=_AGAIN)
    for tenant in result.not_begun:
        detail = f"not started: {result.why}"
        yield FindingReported(step=command, subject=tenant, detail=detail, code=NOT_BEGUN, fix=_AGAIN)


def left_by_earlier_runs(stack: StackRef, ours: str) -> Collection[Subject] | None:
    """Those that the runs recorded here left; None: all, as what they share failed. `ours` is the run that asks.

    Raises `Invalid` when the records don't tell.
    """
    return left_over([record for record in history(stack) if record.run != ours])


def left_over(records: Sequence[RunRecord]) -> Collection[Subject] | None:
    """Of the runs (newest first) each tenant's newest: those that failed there or were not begun. Pure.

    None: what all share failed in the newest run, so nobody is known to be up. Raises `Invalid` where no run tells, or
    where the newest was cut off: whom it had not come to is written nowhere.
    """
    telling = [record for record in records if record.command in _TELLING and record.stack]
    if not telling:
        raise _untold("no run recorded here says which tenants failed")
    if telling[0].outcome in _CUT_OFF:
        raise _untold(f"the last run ({telling[0].outcome}) did not record which tenants it had not reached")
    newest = _endings(telling[0].lines)
    if newest.get(STACK):
        return None
    known: dict[Subject, bool] = {}
    for record in telling:
        known = {**_endings(record.lines), **known}
    return tuple(sorted(who for who, left in known.items() if left and who))


def _endings(lines: Iterable[Mapping[str, Any]]) -> Mapping[Subject, bool]:
    """Subject → whether it was left: a step of it failed, or it was not begun."""
    found: dict[Subject, bool] = {}
    for line in lines:
        who = tenant_of(str(line.get("subject", "")))
        if line["event"] == "step-failed" or line.get("code") == NOT_BEGUN:
            found[who] = True
        elif line["event"] == "step-done":
            found.setdefault(who, False)
    return found


def _untold(message: str) -> Invalid:
    return Invalid(Problem("failed-unknown", message, "--failed", "`orchestrate run` handles all tenants"))
