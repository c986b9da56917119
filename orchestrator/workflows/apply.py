"""Terraform, then the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.terraform import PlanOptions
from orchestrator.workflows.approval import approve
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.leftovers import repaired
from orchestrator.workflows.planning import execute, initialise, prepare, preview, refuse, require_its_account
from orchestrator.workflows.preflight import after_apply, before_apply
from orchestrator.workflows.run import bring_to_life

if TYPE_CHECKING:
    from orchestrator.terraform import Terraform


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions(StepOptions):
    """Which steps, Terraform's own options, and what need not be asked."""

    planfile: str | None = None
    """This plan is applied, without asking."""
    approved: bool = False
    allow_loss: Sequence[str] = ()
    """Losses and outages that are meant: NAME, or NAME@CHECKSUM of one plan."""
    import_existing: bool = False
    """Where it is approved, import what is this stack's but not in the state."""
    preflight: bool = True
    """Go through the checklist first; blockers stop it."""
    terraform: PlanOptions = field(default_factory=PlanOptions)


def apply(
    stack: StackRef, options: ApplyOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Apply exactly the plan that was shown and agreed to, then bring the stack to life.

    A plan that loses data or takes every site down is refused, unless each loss is named; so is one that the checklist
    speaks against. What an interrupted apply has left is kept or imported.
    """
    chosen = options or ApplyOptions()

    def work(execution: Execution) -> Outcome:
        terraform = prepare(execution)
        initialise(execution, terraform)
        with execution.exclusive():
            require_its_account(execution, terraform)
            _apply(execution, terraform, chosen)
            return bring_to_life(execution)

    return perform("apply", stack, work, emit=emit, caller=caller, steps=chosen, recorded=True)


def _apply(execution: Execution, terraform: Terraform, chosen: ApplyOptions) -> None:
    """Terraform's part, where it has something to change."""
    approved = chosen.approved or chosen.planfile is not None
    wanted = chosen.terraform
    adopts, file = chosen.import_existing, chosen.planfile
    with repaired(execution, terraform, wanted, file, approved=approved, adopts=adopts) as plan:
        _, plan_consequences = preview(execution, plan, terraform, look=not approved)
        if plan.has_changes:
            refuse(plan_consequences, tuple(chosen.allow_loss))
            waiting = before_apply(execution, plan) if chosen.preflight else False
            approve(execution, approved)
            execute(execution, terraform, plan)
            if waiting:
                after_apply(execution, terraform)
