"""Before a plan is shown: what an interrupted Terraform has left is kept or imported, and then it is planned anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.terraform.leftovers import Adopt, Await, Keep, Leave, LeftoverAction
from orchestrator.workflows.approval import approve
from orchestrator.workflows.execution import Execution
from orchestrator.workflows.planning import planned, read

if TYPE_CHECKING:
    from orchestrator.app.leftovers import PlanLeftovers
    from orchestrator.terraform import Plan, PlanOptions, Terraform

PATIENCE = 3600.0
"""Seconds until what was cut off must be available; RDS takes minutes, a large one half an hour."""
POLL = 10.0


@contextmanager
def repaired(
    execution: Execution,
    terraform: Terraform,
    options: PlanOptions,
    planfile: str | None,
    *,
    approved: bool,
    adopts: bool,
) -> Iterator[Plan]:
    """A plan, made once more when the state had to be repaired for it. A plan file is taken as it is."""
    with planned(execution, terraform, options, planfile) as plan:
        if planfile:
            yield plan
            return
        actions = _settled(execution, leftovers_of(execution, terraform, options, plan))
        repairs = [action for action in actions if isinstance(action, Keep | Adopt)]
        if not repairs:
            yield plan
            return
        _agree(execution, repairs, approved=approved, adopts=adopts)
        for repair in repairs:
            _make(execution, terraform, plan, repair)
    with planned(execution, terraform, options, None) as plan:
        yield plan


def leftovers_of(execution: Execution, terraform: Terraform, options: PlanOptions, plan: Plan) -> PlanLeftovers:
    """Of this plan. Its text is read at the same time, where it will be shown."""
    from orchestrator.app.leftovers import PlanLeftovers

    if plan.has_changes:
        read(plan, text=execution.for_people)
    facts = plan.json if plan.has_changes else {}
    settings, environment = execution.settings, execution.environment
    return PlanLeftovers(facts, terraform.state, options.replaces, settings, environment, access=execution.access)


def tell(execution: Execution, actions: Sequence[LeftoverAction]) -> None:
    """What was found, and what `apply` does about it."""
    from orchestrator.events import FindingReported

    for action in actions:
        match action:
            case Leave():
                detail, code, fix = action.because, "left-behind", action.fix
            case Adopt():
                detail, code, fix = f"would import it: {action.because}", "change-planned", action.command
            case _:
                detail, code, fix = f"would keep it: {action.because}", "change-planned", ""
        execution.emit(FindingReported(step="terraform", subject=action.address, detail=detail, code=code, fix=fix))


def _settled(execution: Execution, leftovers: PlanLeftovers) -> Sequence[LeftoverAction]:
    """What was found, once nothing is on its way any more."""
    from orchestrator.errors import Problem, TimedOut
    from orchestrator.events import StepWaiting

    deadline = execution.clock.monotonic() + PATIENCE
    said: set[str] = set()
    while True:
        actions = leftovers.look()
        coming = {action.address: action.because for action in actions if isinstance(action, Await)}
        if not coming:
            tell(execution, actions)
            return actions
        if execution.clock.monotonic() > deadline:
            fix = "look at its events in AWS; to recreate it: -replace=ADDRESS"
            raise TimedOut(*(Problem("cut-off-not-available", why, address, fix) for address, why in coming.items()))
        for address, why in coming.items():
            if why not in said:
                detail = f"{why}; this continues when it is available"
                execution.emit(StepWaiting(step="terraform", subject=address, detail=detail))
        said.update(coming.values())
        execution.clock.sleep(execution.settings["poll"] or POLL)


def _agree(execution: Execution, repairs: Sequence[Keep | Adopt], *, approved: bool, adopts: bool) -> None:
    """Keeping needs an approval, importing one of its own: a person's, or the flag."""
    from orchestrator.errors import Problem, Refused

    imports = [one for one in repairs if isinstance(one, Adopt)]
    if approved and imports and not adopts:
        raise Refused(
            *(
                Problem(
                    "exists-outside-state",
                    one.because,
                    one.address,
                    f"add --import-existing, or do it by hand: {one.command}",
                )
                for one in imports
            )
        )
    approve(execution, approved, "Repair the state like this, and plan again?")


def _make(execution: Execution, terraform: Terraform, plan: Plan, repair: Keep | Adopt) -> None:
    from orchestrator.events import StepDone

    imports = isinstance(repair, Adopt)
    with (
        execution.change("terraform", {repair.address: f"{'import' if imports else 'untaint'} it: {repair.because}"}),
        execution.patience(),
    ):
        if isinstance(repair, Adopt):
            terraform.adopt(repair.address, repair.id, plan, interrupts=execution.interrupts)
        else:
            terraform.untaint(repair.address, interrupts=execution.interrupts)
    done = f"{'imported into the state' if imports else 'kept (untainted)'}: {repair.because}"
    execution.emit(StepDone(step="terraform", subject=repair.address, detail=done, changed=1))
