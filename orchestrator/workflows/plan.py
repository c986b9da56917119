"""What apply would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.terraform import PlanOptions
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.import_blocks import with_import_blocks
from orchestrator.workflows.leftovers import leftovers_of, tell
from orchestrator.workflows.planning import initialise, planned, prepare, preview, require_its_account


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningOptions(StepOptions):
    """Which steps are looked at, and Terraform's own options."""

    terraform: PlanOptions = field(default_factory=PlanOptions)
    import_blocks: str | None = None
    """Write import blocks to this file for what is this stack's but not in the state."""


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
        if chosen.import_blocks is not None:
            with with_import_blocks(execution, terraform, wanted, chosen.import_blocks) as made:
                return preview(execution, made, terraform, look=True)[0]
        with planned(execution, terraform, wanted, None) as made:
            tell(execution, leftovers_of(execution, terraform, wanted, made).look())
            return preview(execution, made, terraform, look=True)[0]

    return perform("plan", stack, work, emit=emit, caller=caller, steps=chosen)
