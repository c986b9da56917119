"""`orchestrate apply`: Terraform, then the steps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, steps_options, terraform_options

if TYPE_CHECKING:
    from orchestrator.app import Foresight
    from orchestrator.cli.conduct import Conductor
    from orchestrator.contract import Stack
    from orchestrator.errors import Invalid, Outcome
    from orchestrator.terraform import Plan, PlanOptions, Terraform

SHOWN = frozenset({"apply_progress", "apply_complete", "apply_errored", "provision_progress"})
"""Kinds of Terraform's progress that a person wants to see; the starts would double the lines."""


@click.command()
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")
@click.option(
    "--import-existing",
    is_flag=True,
    help="Also import resources that belong to this stack but are missing from the state.",
)
@click.option(
    "--allow-loss",
    multiple=True,
    metavar="NAME[@CHECKSUM]",
    help="Accept this loss or outage (repeatable); with a checksum, for that plan only.",
)
@click.option("--preflight/--no-preflight", default=True, help="Run the checklist first; blockers stop the apply.")
@terraform_options
@steps_options
def apply(
    planfile: str | None,
    auto_approve: bool,
    allow_loss: tuple[str, ...],
    *,
    import_existing: bool,
    preflight: bool,
    **given: Any,
) -> None:
    """Apply Terraform, then bring the stack to life.

    Shows the plan, what it does to the people who use the sites and what the steps would do afterwards, and asks; the
    answer is bound to exactly that plan. With a PLANFILE, that plan is applied without asking. A plan that loses data
    or takes every site down is refused, unless each loss is named by --allow-loss; so is one that the checklist of
    `orchestrate preflight` speaks against.

    What an interrupted apply has left is repaired first, in the state only: an object whose create was cut off is kept
    when it has become available, one that exists but is not in the state is imported.
    """
    from orchestrator.cli.conduct import conduct
    from orchestrator.cli.leftovers import repaired
    from orchestrator.cli.preflight import after_apply, before_apply

    options = Options.of(given)
    approved = auto_approve or planfile is not None

    def work(conductor: Conductor) -> Outcome:
        terraform = prepare(conductor)
        initialise(conductor, terraform)
        with conductor.exclusive():
            require_its_account(conductor, terraform)
            made = plan_options(given)
            with repaired(conductor, terraform, made, planfile, approved=approved, adopts=import_existing) as plan:
                _, foresight = preview(conductor, plan, terraform, look=not approved)
                if plan.has_changes:
                    refuse(foresight, allow_loss)
                    waiting = before_apply(conductor, plan) if preflight else False
                    approve(conductor, approved)
                    execute(conductor, terraform, plan)
                    if waiting:
                        after_apply(conductor, terraform)
            return _steps(conductor)

    conduct("apply", options, work, recorded=True)


def _steps(conductor: Conductor) -> Outcome:
    from orchestrator.cli.run import bring_to_life

    return bring_to_life(conductor)


def plan_options(given: dict[str, Any]) -> PlanOptions:
    """Terraform's own flags."""
    from orchestrator.terraform import PlanOptions

    return PlanOptions(
        variables=given["variables"],
        var_files=given["var_files"],
        targets=given["targets"],
        replaces=given["replaces"],
    )


def prepare(conductor: Conductor) -> Terraform:
    """Terraform, new enough; the settings are checked before anything takes time."""
    _ = conductor.settings
    terraform = conductor.terraform
    terraform.version()
    return terraform


def initialise(conductor: Conductor, terraform: Terraform) -> None:
    """`terraform init` if needed. Afterwards the state's backend is known, and with it the place of the lock."""
    with conductor.patience():
        if terraform.init(lambda line: _progress(conductor, line), interrupts=conductor.interrupts):
            _progress(conductor, "initialised")


def require_its_account(conductor: Conductor, terraform: Terraform) -> None:
    """Raise `Refused` (`wrong-account`) before Terraform asks anything: elsewhere it would plan to make all anew."""
    from orchestrator.aws.session import Aws
    from orchestrator.contract import Stack

    stack = _as_it_is(conductor, terraform)
    if isinstance(stack, Stack):
        Aws(stack.region, access=conductor.access).require_account(stack.account_id)


@contextmanager
def planned(conductor: Conductor, terraform: Terraform, options: PlanOptions, planfile: str | None) -> Iterator[Plan]:
    """Plan; the plan's files are gone afterwards."""
    with conductor.patience():
        _progress(conductor, "reading the plan" if planfile else "planning")
        plan = terraform.saved_plan(planfile) if planfile else terraform.plan(options, interrupts=conductor.interrupts)
    conductor.redact.include(plan.redact)
    with plan:
        yield plan


def preview(conductor: Conductor, plan: Plan, terraform: Terraform, *, look: bool) -> tuple[Outcome, Foresight | None]:
    """Show the plan, its consequences and, if `look`, what the steps observe; verify account and DNS before that.

    Gives the consequences too (None: Terraform changes nothing).
    """
    from orchestrator import app, steps
    from orchestrator.aws.session import Aws
    from orchestrator.cli.conduct import show_survey
    from orchestrator.engine import graph
    from orchestrator.errors import Invalid, Outcome

    foresight = None
    stack = _as_it_is(conductor, terraform)
    if plan.has_changes:
        read(plan, text=not conductor.options.as_json)
        if not conductor.options.as_json:
            conductor.text(plan.text)
        app.verify_planned(plan.json, conductor.settings, conductor.environment, conductor.clock, conductor.access)
        foresight = foretell(conductor, plan)
    else:
        conductor.text("Terraform: no changes.")
    if isinstance(stack, Invalid):
        if not plan.has_changes:
            raise stack
        conductor.text("What the steps would do can't be said before this plan is applied:")
        for problem in stack.problems:
            conductor.text(f"  {problem}")
        return Outcome.PENDING, foresight
    if stack is None:
        conductor.text("The stack is not there yet. After Terraform, these steps follow:")
        for step in graph.subset(steps.discover()):
            conductor.text(f"  {step.id:<18} {step.title}")
        return Outcome.PENDING, foresight
    if foresight is None:
        aws = Aws(stack.region, access=conductor.access)
        tell(conductor, app.foresee_nothing(stack, aws))
    if not look:
        return Outcome.PENDING, foresight
    conductor.text("The steps, as the stack is now:")
    seen = show_survey(conductor, conductor.operation_on(stack).survey())
    return Outcome.PENDING if plan.has_changes else seen, foresight


def foretell(conductor: Conductor, plan: Plan) -> Foresight:
    """Say what the plan will lead to."""
    foresight = foreseen(conductor, plan)
    tell(conductor, foresight)
    return foresight


def foreseen(conductor: Conductor, plan: Plan) -> Foresight:
    """The same, unsaid."""
    from orchestrator import app
    from orchestrator.aws.session import Aws
    from orchestrator.settings import contract_table

    access, table = conductor.access, contract_table(conductor.options.directory)
    return app.foresee(plan.json, lambda region: Aws(region, access=access), conductor.clock.now(), table)


def tell(conductor: Conductor, foresight: Foresight) -> None:
    """Say it, the worst first."""
    from orchestrator import app

    if foresight.consequences:
        conductor.text("What this does to the people who use the sites:")
        app.tell(foresight, conductor.emit)


def refuse(foresight: Foresight | None, allowed: tuple[str, ...]) -> None:
    """Raise `Refused` for every loss and full outage that isn't named."""
    refusal = foresight.refusal(allowed) if foresight else None
    if refusal:
        raise refusal


def _as_it_is(conductor: Conductor, terraform: Terraform) -> Stack | Invalid | None:
    """The stack before the plan: read first, so that passwords which only its state holds are hidden in the plan."""
    from orchestrator import app
    from orchestrator.errors import Invalid

    try:
        return app.contract_of_outputs(terraform, conductor.redact.learn)
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


def approve(conductor: Conductor, approved: bool, question: str = "Apply this plan, and run the steps?") -> None:
    """Ask, unless it was said before. Raises `Refused` for a no, `Invalid` where nobody can answer."""
    from orchestrator.errors import Invalid, Problem, Refused

    if approved:
        return
    if conductor.options.as_json or conductor.voice.unheard or not sys.stdin.isatty():
        fix = "add --auto-approve, or apply a plan file"
        raise Invalid(Problem("approval-needed", "there is no terminal to ask on", "", fix))
    conductor.text(f"{question} Only 'yes' is accepted.")
    if conductor.ask("  Enter a value: ") != "yes":
        raise Refused(Problem("not-approved", f"not approved; {conductor.so_far}", "", "answer 'yes' if you mean it"))


def execute(conductor: Conductor, terraform: Terraform, plan: Plan) -> None:
    """Apply exactly this plan, with live progress."""
    from orchestrator.engine.step import STACK
    from orchestrator.events import StepDone, StepStarted

    def show(said: Any) -> None:
        if said.kind in SHOWN:
            _progress(conductor, said.message)

    conductor.emit(StepStarted(step="terraform"))
    with conductor.change("terraform", {STACK: f"apply the plan {plan.checksum[:12]}"}) as made:
        with conductor.patience():
            changes = terraform.apply(plan, show, interrupts=conductor.interrupts)
        total = changes.added + changes.changed + changes.removed
        made[STACK] = total
        conductor.wary = conductor.wary or total > 0
    detail = f"{changes.added} added, {changes.changed} changed, {changes.removed} destroyed"
    conductor.emit(StepDone(step="terraform", detail=detail, changed=total))


def _progress(conductor: Conductor, line: str) -> None:
    from orchestrator.events import StepWaiting

    conductor.emit(StepWaiting(step="terraform", detail=line))
