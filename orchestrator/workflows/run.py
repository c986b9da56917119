"""The steps only, on a stack that Terraform has applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.doctor import examine
from orchestrator.workflows.execution import Execution, perform

if TYPE_CHECKING:
    from orchestrator.app import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(StepOptions):
    """Which steps, and how they may act."""


def run(
    stack: StackRef, options: RunOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Bring an applied stack to life: databases, DNS, redeploys, and the wait until its sites answer."""

    def work(execution: Execution) -> Outcome:
        if execution.nested:
            execution.text(
                "this was started by an orchestrate apply, which runs the steps itself when Terraform is done"
            )
            return Outcome.SUCCEEDED
        with execution.exclusive():
            return bring_to_life(execution)

    return perform("run", stack, work, emit=emit, caller=caller, steps=options, recorded=True)


def bring_to_life(execution: Execution, kind: Callable[..., Operation] | None = None) -> Outcome:
    """Read the contract, verify, run the steps (those of another kind of operation, if one is given)."""
    from orchestrator import app

    stack = execution.contract()
    operation = execution.undertake(kind or app.Operation, stack)
    operation.verify()
    report = operation.run(execution.emit, execution.change)
    if report.needs_a_doctor and not execution.clock.interrupted:
        examine(execution, operation)
    return report.outcome
