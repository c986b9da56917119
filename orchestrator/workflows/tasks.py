"""The tasks that run, and those that stopped of late."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import Outcome
from orchestrator.events import Emit, StepFailed
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksOptions(StepOptions):
    """Whose tasks."""


def tasks(
    stack: StackRef, options: TasksOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Each task as an event: stop code, reason, each container's exit, and the cause as far as the task tells it."""

    def work(execution: Execution) -> Outcome:
        found = list(execution.look_at().tasks())
        for event in found:
            execution.emit(event)
        if not found:
            execution.text("no task is running, and none stopped within the last hour")
        return Outcome.FAILED if any(isinstance(event, StepFailed) for event in found) else Outcome.SUCCEEDED

    return perform("tasks", stack, work, emit=emit, caller=caller, steps=options)
