"""A new deployment of services that somebody names."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.run import bring_to_life


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeployOptions(StepOptions):
    """With `tenants`, only theirs; without, every service of the stack."""


def redeploy(
    stack: StackRef, options: RedeployOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Force a new deployment of each service with the task definition it has, and wait until it is up."""

    def work(execution: Execution) -> Outcome:
        from orchestrator import app

        with execution.exclusive():
            return bring_to_life(execution, app.Redeploying)

    return perform("redeploy", stack, work, emit=emit, caller=caller, steps=options, recorded=True)
