"""What apply would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.terraform import PlanOptions
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.leftovers import leftovers_of, tell
from orchestrator.workflows.planning import initialise, planned, prepare, preview, require_its_account


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningOptions(StepOptions):
    """Which steps are looked at, and Terraform's own options."""

    terraform: PlanOptions = field(default_factory=PlanOptions)


def plan(
    stack: StackRef, options: PlanningOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Terraform's plan, what it does to those who use the sites, and what the steps would do. `PENDING`: work to do."""
    chosen = options or PlanningOptions()

    def work(execution: Execution) -> Outcome:
        terraform = prepare(execution)
        initialise(execution, terraform)
        require_its_account(execution, terraform)
        wanted = chosen.terraform
        with planned(execution, terraform, wanted, None) as made:
            tell(execution, leftovers_of(execution, terraform, wanted, made).look())
            outcome, _ = preview(execution, made, terraform, look=True)
            return outcome

    return perform("plan", stack, work, emit=emit, caller=caller, steps=chosen)
