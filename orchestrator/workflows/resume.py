"""What a pause stopped starts again, in the order in which one needs the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.run import bring_to_life


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeOptions(StepOptions):
    """With `tenants`, what all of them share and what is theirs is started."""


def resume(
    stack: StackRef, options: ResumeOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """The steps of `run`, with those in between that start what was stopped. A service that had no task has none."""
    steps = replace(options or ResumeOptions(), allow_zero=True)

    def work(execution: Execution) -> Outcome:
        from orchestrator import app

        kind = partial(app.Resuming, who=execution.caller.who)
        with execution.exclusive():
            return bring_to_life(execution, kind)

    return perform("resume", stack, work, emit=emit, caller=caller, steps=steps, recorded=True)
