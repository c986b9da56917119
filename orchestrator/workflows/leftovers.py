"""Before a plan is shown: what an interrupted Terraform has left is kept, or imported by the plan itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

from orchestrator.terraform.leftovers import Adopt, Await, Keep, Leave, LeftoverAction
from orchestrator.workflows.approval import approve
from orchestrator.workflows.execution import Execution
from orchestrator.workflows.import_file import passing
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
    """A plan, made again as often as something is found that is to be kept or imported. A plan file is taken as it is.

    More than once: what is inside of another object can be looked up only when the plan knows that one. Imports are a
    part of the plan (`terraform import` fails where a module's outputs name what isn't in the state yet).
    """
    imports: list[Adopt] = []
    done: set[str] = set()
    told: set[str] = set()
    while True:
        with ExitStack() as held:
            with nullcontext() if planfile else passing(terraform.directory, imports):
                plan = held.enter_context(planned(execution, terraform, options, planfile))
            found = [] if planfile else _settled(execution, leftovers_of(execution, terraform, options, plan), told)
            repairs = [one for one in found if isinstance(one, Keep | Adopt) and one.address not in done]
            if not repairs:
                yield plan
                return
            _agree(execution, repairs, approved=approved, adopts=adopts)
            for repair in repairs:
                if isinstance(repair, Keep):
                    _keep(execution, terraform, repair)
        imports += [repair for repair in repairs if isinstance(repair, Adopt)]
        done.update(repair.address for repair in repairs)


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


def _settled(execution: Execution, leftovers: PlanLeftovers, told: set[str]) -> Sequence[LeftoverAction]:
    """What was found, once nothing is on its way any more; what is `told` already is not said again."""
    from orchestrator.errors import Problem, TimedOut
    from orchestrator.events import StepWaiting

    deadline = execution.clock.monotonic() + PATIENCE
    said: set[str] = set()
    while True:
        actions = leftovers.look()
        coming = {action.address: action.because for action in actions if isinstance(action, Await)}
        if not coming:
            tell(execution, [action for action in actions if action.address not in told])
            told.update(action.address for action in actions)
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
                    "add --import-existing; to review it first: orchestrate plan --import-blocks imports.tf; by hand: "
                    f"{one.command}",
                )
                for one in imports
            )
        )
    approve(execution, approved, "Repair it like this, and plan again?")


def _keep(execution: Execution, terraform: Terraform, repair: Keep) -> None:
    from orchestrator.events import StepDone

    with execution.change("terraform", {repair.address: f"untaint it: {repair.because}"}), execution.patience():
        terraform.untaint(repair.address, interrupts=execution.interrupts)
    detail = f"kept (untainted): {repair.because}"
    execution.emit(StepDone(step="terraform", subject=repair.address, detail=detail, changed=1))
