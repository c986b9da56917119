"""Terraform's part of every workflow: initialize, plan, show the consequences, apply exactly that plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.workflows.execution import Execution

if TYPE_CHECKING:
    from orchestrator.app import PlanConsequences
    from orchestrator.errors import Invalid, Outcome
    from orchestrator.stack.contract import Stack
    from orchestrator.terraform import Plan, PlanOptions, StreamLine, Terraform

_OF_RESOURCES = ("apply_progress", "apply_complete", "apply_errored", "provision_progress")
_OF_ACTIONS = ("action_start", "action_progress", "action_complete", "action_errored")
SHOWN = frozenset([*_OF_RESOURCES, *_OF_ACTIONS])
"""Kinds of Terraform's progress that a person wants to see; a resource's start would double the lines, and an action
may say nothing before its end."""


def prepare(execution: Execution) -> Terraform:
    """Terraform, new enough; the settings are checked before anything takes time."""
    _ = execution.settings
    terraform = execution.terraform
    terraform.version()
    return terraform


def initialise(execution: Execution, terraform: Terraform) -> None:
    """`terraform init` if needed. Afterwards the state's backend is known, and with it the place of the lock."""
    with execution.patience():
        if terraform.init(lambda line: _progress(execution, line), interrupts=execution.interrupts):
            _progress(execution, "initialized")


def require_its_account(execution: Execution, terraform: Terraform) -> None:
    """Raise `Refused` (`wrong-account`) before Terraform asks anything: elsewhere it would plan to make all anew."""
    from orchestrator.aws.session import Aws
    from orchestrator.stack.contract import Stack

    stack = _as_it_is(execution, terraform)
    if isinstance(stack, Stack):
        Aws(stack.region, execution.access).require_account(stack.account_id)


@contextmanager
def planned(execution: Execution, terraform: Terraform, options: PlanOptions, planfile: str | None) -> Iterator[Plan]:
    """Plan; the plan's files are gone afterwards."""

    def show(said: StreamLine) -> None:
        if not said.known:
            _progress(execution, said.message or said.kind)

    with execution.patience():
        _progress(execution, "reading the plan" if planfile else "planning")
        if planfile:
            plan = terraform.saved_plan(planfile)
        else:
            plan = terraform.plan(options, show, interrupts=execution.interrupts)
    execution.redact.include(plan.redact)
    with plan:
        yield plan


def preview(
    execution: Execution, plan: Plan, terraform: Terraform, *, look: bool
) -> tuple[Outcome, PlanConsequences | None]:
    """Show the plan, its consequences and, if `look`, what the steps observe; verify account and DNS before that.

    Gives the consequences too (None: Terraform changes nothing).
    """
    from orchestrator import app, steps
    from orchestrator.aws.session import Aws
    from orchestrator.engine import graph
    from orchestrator.errors import Invalid, Outcome
    from orchestrator.workflows.survey import show_survey

    plan_consequences = None
    stack = _as_it_is(execution, terraform)
    if plan.has_changes:
        read(plan, text=execution.for_people)
        if execution.for_people:
            execution.text(plan.text)
        app.verify_planned(plan.json, execution.settings, execution.environment, execution.clock, execution.access)
        plan_consequences = foretell(execution, plan)
    else:
        execution.text("Terraform: no changes.")
    if isinstance(stack, Invalid):
        if not plan.has_changes:
            raise stack
        execution.text("What the steps would do is not known before this plan is applied:")
        for problem in stack.problems:
            execution.text(f"  {problem}")
        return Outcome.PENDING, plan_consequences
    if stack is None:
        execution.text("The stack does not exist yet. After Terraform, these steps follow:")
        for step in graph.subset(steps.discover()):
            execution.text(f"  {step.id:<18} {step.title}")
        return Outcome.PENDING, plan_consequences
    if plan_consequences is None:
        aws = Aws(stack.region, execution.access)
        tell(execution, app.no_consequences(stack, aws))
    if not look:
        return Outcome.PENDING, plan_consequences
    execution.text("The steps, as the stack is now:")
    seen = show_survey(execution.emit, execution.operation_on(stack).survey())
    return Outcome.PENDING if plan.has_changes else seen, plan_consequences


def foretell(execution: Execution, plan: Plan) -> PlanConsequences:
    """Say what the plan will lead to."""
    plan_consequences = foreseen(execution, plan)
    tell(execution, plan_consequences)
    return plan_consequences


def foreseen(execution: Execution, plan: Plan) -> PlanConsequences:
    """The same, unsaid."""
    from orchestrator import app
    from orchestrator.aws.session import Aws
    from orchestrator.settings import contract_table

    access, table = execution.access, contract_table(execution.directory)
    return app.consequences_of(plan.json, lambda region: Aws(region, access), execution.clock.now(), table)


def tell(execution: Execution, plan_consequences: PlanConsequences) -> None:
    """Say it, the worst first."""
    from orchestrator import app

    if plan_consequences.consequences:
        execution.text("What this does to the people who use the sites:")
        app.tell(plan_consequences, execution.emit)


def refuse(plan_consequences: PlanConsequences | None, allowed: tuple[str, ...]) -> None:
    """Raise `Refused` for every loss and full outage that isn't named."""
    refusal = plan_consequences.refusal(allowed) if plan_consequences else None
    if refusal:
        raise refusal


def _as_it_is(execution: Execution, terraform: Terraform) -> Stack | Invalid | None:
    """The stack before the plan: read first, so that passwords which only its state holds are hidden in the plan."""
    from orchestrator import app
    from orchestrator.errors import Invalid

    try:
        return app.contract_of_outputs(terraform, execution.redact.learn)
    except Invalid as unclear:
        return unclear


def read(plan: Plan, *, text: bool) -> None:
    """Both forms of the plan at the same time: for each, terraform starts its providers anew, which takes seconds."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        facts = pool.submit(lambda: plan.json)
        if text:
            pool.submit(lambda: plan.text).result()
        facts.result()


def execute(execution: Execution, terraform: Terraform, plan: Plan) -> None:
    """Apply exactly this plan, with live progress."""
    from orchestrator.engine.step import STACK
    from orchestrator.events import StepDone, StepStarted
    from orchestrator.stack.blueprint.changes import count_of, every_change
    from orchestrator.workflows.resources import ResourceCount

    count = ResourceCount(count_of(plan.json))

    def show(said: StreamLine) -> None:
        progress = count.heard(said)
        if progress is not None:
            execution.show(progress)
        if said.kind in SHOWN or not said.known:
            _progress(execution, said.message or said.kind)

    execution.emit(StepStarted(step="terraform"))
    imports = {one.address: one.imported for one in every_change(plan.json) if one.imported}
    intended = {address: f"import it: {identifier}" for address, identifier in imports.items()}
    with execution.change("terraform", {**intended, STACK: f"apply the plan {plan.checksum[:12]}"}) as made:
        with execution.patience():
            changes = terraform.apply(plan, show, interrupts=execution.interrupts)
        made[STACK] = changes.total
        execution.wary = execution.wary or changes.total > 0
    for address, identifier in imports.items():
        detail = f"imported into the state: {identifier}"
        execution.emit(StepDone(step="terraform", subject=address, detail=detail, changed=1))
    execution.emit(StepDone(step="terraform", detail=str(changes), changed=changes.total))


def _progress(execution: Execution, line: str) -> None:
    from orchestrator.events import StepWaiting

    execution.emit(StepWaiting(step="terraform", detail=line))
