"""The schema migrated once, by one task, before the rollout."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.run import bring_to_life


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateOptions(StepOptions):
    """With `tenants`, only theirs; without, every tenant of the stack."""


def migrate(
    stack: StackRef, options: MigrateOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Migrate each tenant's schema by one ECS task, show its log, and roll out only where that succeeded."""

    def work(execution: Execution) -> Outcome:
        from orchestrator import app

        with execution.exclusive():
            return bring_to_life(execution, app.Migrating)

    return perform("migrate", stack, work, emit=emit, caller=caller, steps=options, recorded=True)
