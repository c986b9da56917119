"""Deployments that wait at a pause hook are continued."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.engine.step import Todo
from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.workflows.approval import approve
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.survey import outcome_of, show_survey


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueOptions(StepOptions):
    """Without `tenants`: all whose deployment waits."""

    approved: bool = False


def continue_(
    stack: StackRef, options: ContinueOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Show which deployments wait, ask, and continue them.

    The stack's lock is not taken: whoever waits for such a deployment holds it. Hooks that come later were shown to
    nobody, and are left for the next time.
    """
    chosen = options or ContinueOptions()

    def work(execution: Execution) -> Outcome:
        from orchestrator import app

        operation = execution.undertake(app.Continuing, execution.contract())
        operation.verify()
        found = operation.preview()
        show_survey(execution.emit, found)
        if not any(isinstance(one, Todo) for seen in found.values() for one in seen.values()):
            return outcome_of(found)
        approve(execution, chosen.approved, "Continue these deployments?")
        return operation.run(execution.emit, execution.change).outcome

    return perform("continue", stack, work, emit=emit, caller=caller, steps=chosen, recorded=True)
