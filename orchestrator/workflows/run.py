"""The steps only, on a stack that Terraform has applied."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.doctor import examine
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.rolling import left_by_earlier_runs, roll_out, wave_policy

if TYPE_CHECKING:
    from orchestrator.app import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(StepOptions):
    """Which steps, and how they may act."""

    failed: bool = False
    """Only the tenants that earlier runs of this directory left: those that failed, and those that were not begun."""


def run(
    stack: StackRef, options: RunOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Bring an applied stack to life: databases, DNS, redeploys, and the wait until its sites answer."""
    chosen = options or RunOptions()

    def work(execution: Execution) -> Outcome:
        if execution.nested:
            execution.text(
                "this was started by an orchestrate apply, which runs the steps itself when Terraform is done"
            )
            return Outcome.SUCCEEDED
        with execution.exclusive():
            if not chosen.failed:
                return bring_to_life(execution)
            return bring_to_life(execution, only=left_by_earlier_runs(stack, execution.run))

    return perform("run", stack, work, emit=emit, caller=caller, steps=chosen, recorded=True)


def bring_to_life(
    execution: Execution, kind: Callable[..., Operation] | None = None, only: Collection[str] | None = None
) -> Outcome:
    """Read the contract, verify, run the steps (those of another kind of operation, if one is given).

    `only`: of the tenants that were asked for, those that are among these, and still in the stack.
    """
    from orchestrator import app

    stack = execution.contract()
    operation = execution.undertake(kind or app.Operation, stack)
    if only is not None:
        left = [one for one in operation.tenants if one in only]
        if not left:
            execution.text("every tenant was started, and none failed the last time: nothing to do")
            return Outcome.SUCCEEDED
        operation = operation.of(left, operation.seconds)
    policy = wave_policy(execution.steps, operation.tenants)
    operation.verify()
    report = (
        roll_out(execution, operation, policy) if policy.wanted else operation.run(execution.emit, execution.change)
    )
    if report.needs_a_doctor and not execution.clock.interrupted:
        examine(execution, operation, own=report.problems)
    return report.outcome
