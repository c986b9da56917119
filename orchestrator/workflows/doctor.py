"""What is wrong with a stack, why, and what to do about it; with `fix`, the safe part of it done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import Outcome, Problem, counted
from orchestrator.events import Emit
from orchestrator.workflows.approval import approve
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.survey import show_survey

if TYPE_CHECKING:
    from orchestrator.app import Operation, RepairPlan
    from orchestrator.engine.check import Diagnosis


OwnProblem = tuple[str, str, Problem]
"""What a step of the run ended with: step, subject, problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOptions(StepOptions):
    """`bundle` is a new archive for the evidence; `fix` repairs what is safe to repair, `approved` without asking.

    `page`: a file to be written, with what was found last.
    """

    bundle: Path | None = None
    page: Path | None = None
    fix: bool = False
    approved: bool = False


def doctor(
    stack: StackRef, options: DoctorOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Find root causes first. `FAILED` when something keeps a site from working, or when a check could not look."""
    chosen = options or DoctorOptions()

    def work(execution: Execution) -> Outcome:
        from orchestrator.doctor import bundle as archive

        if chosen.bundle is not None:
            archive.check(chosen.bundle)
        operation = execution.look_at()
        if not chosen.fix:
            return examine(execution, operation, chosen.bundle)
        with execution.exclusive():
            return repair(execution, operation, approved=chosen.approved, bundle=chosen.bundle)

    return perform("doctor", stack, work, emit=emit, caller=caller, steps=chosen, recorded=chosen.fix, page=chosen.page)


def examine(
    execution: Execution, operation: Operation, bundle: Path | None = None, *, own: Sequence[OwnProblem] = ()
) -> Outcome:
    """Look at the stack, and say what was found, and what of it could be repaired.

    `own` is what the run's own steps ended with: it stays above what the doctor finds beside it.
    """
    from orchestrator import app
    from orchestrator.doctor.consultation import led_by

    diagnosis = led_by(operation.examine(), {(subject, problem.code) for _, subject, problem in own})
    for step, subject, problem in own:
        execution.text(f"{step}{f' of {subject}' if subject else ''} ended with: {problem.message} [{problem.code}]")
    if own and diagnosis.cases:
        execution.text("What the doctor finds, the same cause first:")
    outcome = _told(execution, operation, diagnosis)
    repair_plan = app.repair_plan(diagnosis, operation.tenants)
    if repair_plan is not None:
        what = ", ".join(sorted(repair_plan.repairs))
        execution.text(f"`orchestrate doctor --fix` can repair some of this with the steps {what}; it asks first")
    if bundle is not None:
        _pack(execution, operation, diagnosis, bundle)
    return outcome


def _pack(execution: Execution, operation: Operation, diagnosis: Diagnosis, bundle: Path) -> None:
    """The evidence into the archive, every known secret in it hidden."""
    from orchestrator import app
    from orchestrator.doctor import bundle as archive
    from orchestrator.events import StepDone

    operation.learn_secrets()
    members = app.collect(operation, diagnosis, execution.clock)
    redacted = {execution.redact(name): execution.redact(text) for name, text in members.items()}
    archive.write(bundle, redacted, execution.clock.now())
    execution.emit(StepDone(step="bundle", detail=f"{bundle}: {counted(len(members), 'file')}, secrets hidden"))


def _told(execution: Execution, operation: Operation, diagnosis: Diagnosis) -> Outcome:
    from orchestrator.doctor.consultation import report

    execution.pages.knows(operation.stack, operation.tenants, None if diagnosis.resting else diagnosis.blind)
    if not diagnosis.cases:
        paused = ", the stack is paused" if diagnosis.paused else ""
        execution.text(f"nothing wrong found ({diagnosis.checks} checks{paused})")
    outcome = report(diagnosis, execution.emit)
    if diagnosis.blind:
        many = f"{len(diagnosis.blind)} of {diagnosis.checks} checks"
        execution.text(f"{many} could not run, so nothing is known about what they check: {', '.join(diagnosis.blind)}")
    return outcome


def repair(execution: Execution, operation: Operation, *, approved: bool, bundle: Path | None) -> Outcome:
    """Examine, show what can be repaired, ask, repair it, examine again: the outcome is what is seen then."""
    from orchestrator import app

    diagnosis = operation.examine()
    outcome = _told(execution, operation, diagnosis)
    if bundle is not None:
        _pack(execution, operation, diagnosis, bundle)
    repair_plan = app.repair_plan(diagnosis, operation.tenants)
    if repair_plan is not None:
        repair_plan = repair_plan.sparing(_say_whose(execution, operation, repair_plan))
    if repair_plan is None:
        if diagnosis.cases:
            execution.text("`doctor --fix` can't repair these; follow each `fix` line.")
        return outcome
    _ask(execution, operation, repair_plan, approved=approved)
    report = operation.narrowed(repair_plan.steps, repair_plan.tenants).run(execution.emit, execution.change)
    if report.outcome is Outcome.INTERRUPTED or execution.clock.interrupted:
        return report.outcome
    again = _told(execution, operation, operation.examine())
    return again if report.outcome is Outcome.SUCCEEDED else report.outcome


def _say_whose(execution: Execution, operation: Operation, repair_plan: RepairPlan) -> Collection[str]:
    """Tenants whose service isn't the stack's own: it is not started again from here."""
    from orchestrator.events import FindingReported
    from orchestrator.lifecycle.instance_owners import not_ours

    found = operation.foreign_services(sorted(repair_plan.tenants))
    for tenant, why in found.items():
        problem = not_ours(*operation.stack.service_part(tenant), why)
        said = FindingReported(
            step="doctor", subject=tenant, detail=problem.message, code=problem.code, fix=problem.fix
        )
        execution.emit(said)
    return found


def _ask(execution: Execution, operation: Operation, repair_plan: RepairPlan, *, approved: bool) -> None:
    """Show what each step that repairs would do, and ask."""
    whom = ", ".join(sorted(repair_plan.tenants))
    execution.text(f"To repair now, for {whom}; afterwards, services are redeployed where that helps:")
    show_survey(execution.emit, operation.narrowed(repair_plan.repairs | {"redeploy"}, repair_plan.tenants).survey())
    approve(execution, approved, "Do this?")
