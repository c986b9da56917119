"""`orchestrate doctor`: what is wrong, why, and what to do about it; with `--fix`, the safe part of it done."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, place_options, settings_options, tenant_option

if TYPE_CHECKING:
    from orchestrator.app import Operation, Treatment
    from orchestrator.cli.conduct import Conductor
    from orchestrator.engine.check import Diagnosis
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@tenant_option
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the evidence to a new archive (.zip, .tar.gz), with secrets hidden.",
)
@click.option("--fix", is_flag=True, help="Then repair what is safe to repair: shows it, asks, does it, checks again.")
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="With --fix: don't ask.")
@place_options
@settings_options
def doctor(contract: str | None, *, bundle: Path | None, fix: bool, auto_approve: bool, **given: Any) -> None:
    """Find what is wrong with a stack: root causes first, each with evidence and a fix. Changes nothing by itself.

    Exit status 1 when something keeps a site from working, or when a check could not look (it is said which): of that
    nothing is known. 0 when all was looked at and nothing does. With --fix these are mended, by the
    steps that `run` makes: a missing database, its role or password; Vespa's docker and container; services that then
    need a new start.

    With --bundle the findings, the status, tasks, logs of the last half hour, the contract and versions go into an
    archive for a colleague; with --fix as it was before.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import bundle as archive

        if bundle is not None:
            archive.check(bundle)
        operation = conductor.look_at(contract)
        if not fix:
            return examine(conductor, operation, bundle)
        with conductor.exclusive():
            return mend(conductor, operation, approved=auto_approve, bundle=bundle)

    conduct("doctor", Options.of(given), work, recorded=fix)


def examine(conductor: Conductor, operation: Operation, bundle: Path | None = None) -> Outcome:
    """Look at the stack, and say what was found, and what of it could be mended."""
    from orchestrator import app

    diagnosis = operation.examine()
    outcome = _told(conductor, diagnosis)
    treatment = app.treatment(diagnosis, operation.tenants)
    if treatment is not None:
        what = ", ".join(sorted(treatment.repairs))
        conductor.text(f"`orchestrate doctor --fix` can mend some of this, by the steps {what}; it asks before")
    if bundle is not None:
        _pack(conductor, operation, diagnosis, bundle)
    return outcome


def _pack(conductor: Conductor, operation: Operation, diagnosis: Diagnosis, bundle: Path) -> None:
    """The evidence into the archive, every known secret in it hidden."""
    from orchestrator import app
    from orchestrator import bundle as archive
    from orchestrator.events import StepDone

    operation.learn_secrets()
    members = app.collect(operation, diagnosis, conductor.clock)
    redacted = {conductor.redact(name): conductor.redact(text) for name, text in members.items()}
    archive.write(bundle, redacted, conductor.clock.now())
    conductor.emit(StepDone(step="bundle", detail=f"{bundle}: {len(members)} files, secrets hidden"))


def _told(conductor: Conductor, diagnosis: Diagnosis) -> Outcome:
    from orchestrator.consultation import report

    if not diagnosis.cases:
        paused = ", the stack is paused" if diagnosis.paused else ""
        conductor.text(f"nothing wrong found ({diagnosis.checks} checks{paused})")
    outcome = report(diagnosis, conductor.emit)
    if diagnosis.blind:
        many = f"{len(diagnosis.blind)} of {diagnosis.checks} checks"
        conductor.text(
            f"{many} could not look, and of what they look at nothing is known: {', '.join(diagnosis.blind)}"
        )
    return outcome


def mend(conductor: Conductor, operation: Operation, *, approved: bool, bundle: Path | None) -> Outcome:
    """Examine, show what can be mended, ask, mend it, examine again: the outcome is what is seen then."""
    from orchestrator import app
    from orchestrator.errors import Outcome

    diagnosis = operation.examine()
    outcome = _told(conductor, diagnosis)
    if bundle is not None:
        _pack(conductor, operation, diagnosis, bundle)
    treatment = app.treatment(diagnosis, operation.tenants)
    if treatment is not None:
        treatment = treatment.sparing(_say_whose(conductor, operation, treatment))
    if treatment is None:
        if diagnosis.cases:
            conductor.text("Nothing of this can be mended here: it takes what stands behind each `fix`.")
        return outcome
    _ask(conductor, operation, treatment, approved=approved)
    report = operation.narrowed(treatment.steps, treatment.tenants).run(conductor.emit, conductor.change)
    if report.outcome is Outcome.INTERRUPTED or conductor.clock.interrupted:
        return report.outcome
    again = _told(conductor, operation.examine())
    return again if report.outcome is Outcome.SUCCEEDED else report.outcome


def _say_whose(conductor: Conductor, operation: Operation, treatment: Treatment) -> Collection[str]:
    """Tenants whose service isn't the stack's own: it is not started again from here."""
    from orchestrator.events import FindingReported
    from orchestrator.lifecycle.pause.whose import not_ours
    from orchestrator.ownership import Kind

    found = operation.foreign_services(sorted(treatment.tenants))
    for tenant, why in found.items():
        problem = not_ours(Kind.SERVICE, f"{operation.stack.cluster}/{operation.stack.tenants[tenant].service}", why)
        said = FindingReported(
            step="doctor", subject=tenant, detail=problem.message, code=problem.code, fix=problem.fix
        )
        conductor.emit(said)
    return found


def _ask(conductor: Conductor, operation: Operation, treatment: Treatment, *, approved: bool) -> None:
    """Show what each step that mends would do, and ask."""
    from orchestrator.cli.apply import approve
    from orchestrator.cli.conduct import show_survey

    whom = ", ".join(sorted(treatment.tenants))
    conductor.text(f"To be mended now, for {whom}; then services start again where that cures them:")
    show_survey(conductor, operation.narrowed(treatment.repairs | {"redeploy"}, treatment.tenants).survey())
    approve(conductor, approved, "Do this?")
