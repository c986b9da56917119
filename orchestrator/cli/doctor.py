"""`orchestrate doctor`: what is wrong, why, and what to do about it; with `--fix`, the safe part of it done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, place_options, settings_options

if TYPE_CHECKING:
    from orchestrator.app import Operation, Treatment
    from orchestrator.cli.conduct import Conductor
    from orchestrator.engine.check import Diagnosis
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="Only this tenant (repeatable).")
@click.option("--fix", is_flag=True, help="Then mend what is safe to mend: shows it, asks, does it, looks again.")
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="With --fix: don't ask.")
@place_options
@settings_options
def doctor(contract: str | None, fix: bool, auto_approve: bool, **given: Any) -> None:
    """Find what is wrong with a stack: root causes first, each with evidence and a fix. Changes nothing by itself.

    Exit status 1 when something keeps a site from working, 0 when nothing does. With --fix these are mended, by the
    steps that `run` makes: a missing database, its role or password; Vespa's docker and container; services that then
    need a new start.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import app

        stack = app.contract_from(
            contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn
        )
        operation = conductor.operation_on(stack)
        operation.aws.require_account(stack.account_id)
        if not fix:
            return examine(conductor, operation)
        with conductor.exclusive():
            return mend(conductor, operation, approved=auto_approve)

    options = Options.of({"only": (), "skip": (), "adopt": False, "allow_zero": False, **given})
    conduct("doctor", options, work, recorded=fix)


def examine(conductor: Conductor, operation: Operation) -> Outcome:
    """Look at the stack, and say what was found."""
    return _told(conductor, operation.examine())


def _told(conductor: Conductor, diagnosis: Diagnosis) -> Outcome:
    from orchestrator.consultation import report

    if not diagnosis.cases:
        conductor.text(f"nothing wrong found ({diagnosis.checks} checks)")
    return report(diagnosis, conductor.emit)


def mend(conductor: Conductor, operation: Operation, *, approved: bool) -> Outcome:
    """Examine, show what can be mended, ask, mend it, examine again: the outcome is what is seen then."""
    from orchestrator import app
    from orchestrator.errors import Outcome

    diagnosis = operation.examine()
    outcome = _told(conductor, diagnosis)
    treatment = app.treatment(diagnosis, operation.tenants)
    if treatment is None:
        if diagnosis.cases:
            conductor.text("Nothing of this can be mended here: it takes what stands behind each `fix`.")
        return outcome
    _ask(conductor, operation, treatment, approved=approved)
    report = operation.narrowed(treatment.steps, treatment.tenants).run(conductor.emit, conductor.change)
    if report.outcome is Outcome.INTERRUPTED or conductor.clock.interrupted:
        return report.outcome
    again = examine(conductor, operation)
    return again if report.outcome is Outcome.SUCCEEDED else report.outcome


def _ask(conductor: Conductor, operation: Operation, treatment: Treatment, *, approved: bool) -> None:
    """Show what each step that mends would do, and ask."""
    from orchestrator.cli.apply import approve
    from orchestrator.cli.conduct import show_survey

    whom = ", ".join(sorted(treatment.tenants))
    conductor.text(f"To be mended now, for {whom}; then services start again where that cures them:")
    show_survey(conductor, operation.narrowed(treatment.repairs | {"redeploy"}, treatment.tenants).survey())
    approve(conductor, approved, "Do this?")
