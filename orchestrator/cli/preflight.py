"""`orchestrate preflight`: the checklists, before it hurts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, format_option, place_options, settings_options, terraform_options

if TYPE_CHECKING:
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome
    from orchestrator.preflight import Evidence, Live, Occasion, Remark
    from orchestrator.terraform import Plan, Terraform


@click.command()
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--destroy", is_flag=True, help="The checklist to go through before a destroy, instead of those around an apply."
)
@click.option("--live/--no-live", default=True, help="Also inspect the running stack, if there is one.")
@format_option
@terraform_options
@place_options
@settings_options
def preflight(planfile: Path | None, destroy: bool, live: bool, **given: Any) -> None:
    """Go through the guide's checklists, and what they miss, against the plan and against what exists.

    Changes nothing. What a plan can't tell yet is "not known until applied", never passed; what only a person can tell
    is `manual`. PLANFILE: a plan, or what `terraform show -json` said of a plan or a state (then nothing else is
    read). Exit status 3 when something speaks against applying.
    """
    from orchestrator.cli.conduct import conduct
    from orchestrator.errors import Outcome

    options = Options.of({"tenants": (), "only": (), "skip": (), "adopt": False, **given})

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import __version__
        from orchestrator.app import checklist
        from orchestrator.events import RunStarted

        evidence = _evidence(conductor, planfile, given, destroy=destroy, live=live)
        if conductor.operation is None:
            conductor.emit(RunStarted(stack=evidence.tenancy.stack, command="preflight", version=__version__))
        occasions = checklist.DESTROYING if destroy else checklist.DEPLOYING
        remarks = checklist.examine(evidence, options.directory, occasions)
        report(conductor, remarks)
        refusal = checklist.refusal(remarks)
        if refusal:
            raise refusal
        return Outcome.SUCCEEDED

    conduct("preflight", options, work)


def _evidence(
    conductor: Conductor, planfile: Path | None, given: dict[str, Any], *, destroy: bool, live: bool
) -> Evidence:
    from orchestrator.app import checklist
    from orchestrator.cli.apply import initialise, plan_options, planned, prepare

    said = checklist.document(planfile) if planfile else None
    if said is not None:
        return judged(conductor, said)
    terraform = prepare(conductor)
    initialise(conductor, terraform)
    seen = _look(conductor, terraform) if live else None
    if destroy:
        return judged(conductor, terraform.state(), seen)
    with planned(conductor, terraform, plan_options(given), str(planfile) if planfile else None) as plan:
        # Where nothing changes, the state says all that the plan doesn't know, and what is live is about it.
        return judged(conductor, plan.json) if plan.has_changes else judged(conductor, terraform.state(), seen)


def judged(conductor: Conductor, said: Mapping[str, Any], live: Live | None = None) -> Evidence:
    """A document of Terraform's as evidence, with what orchestrate.toml says of the stack."""
    from orchestrator.app import checklist
    from orchestrator.aws.quotas import Quotas
    from orchestrator.aws.session import Aws
    from orchestrator.settings import contract_table

    evidence = checklist.evidence_of(said, live, contract_table(conductor.options.directory))
    return checklist.with_quotas(
        evidence, lambda: Quotas(Aws(evidence.region, access=conductor.access).client("service-quotas"))
    )


def _look(conductor: Conductor, terraform: Terraform) -> Live | None:
    from orchestrator import app
    from orchestrator.errors import Invalid

    try:
        stack = app.contract_of_outputs(terraform, conductor.redact.learn)
    except Invalid as unclear:
        conductor.text("The running stack is not looked at, for what it is isn't clear:")
        for problem in unclear.problems:
            conductor.text(f"  {problem}")
        return None
    if stack is None:
        return None
    operation = conductor.operation_on(stack)
    operation.aws.require_account(stack.account_id)
    return app.checklist.look(operation)


def report(conductor: Conductor, remarks: tuple[Remark, ...]) -> None:
    """Say what was found; for people without what passed, and what isn't known yet in one line."""
    from orchestrator.app import checklist
    from orchestrator.preflight import Status

    options = conductor.options
    shown = remarks if options.as_json else tuple(checklist.condensed(remarks))
    if options.as_json or options.as_markdown:
        checklist.tell(shown, conductor.emit, everything=True)
        return
    checklist.tell(
        [one for one in shown if one.status in (Status.FAILED, Status.MANUAL)], conductor.emit, everything=True
    )
    for line in checklist.summary(remarks):
        conductor.text(line)


def before_apply(conductor: Conductor, plan: Plan) -> bool:
    """The same inside an apply: blockers and warnings are shown, blockers refuse. Whether some points have to wait."""
    from orchestrator.app import checklist

    return _stop_at_blockers(conductor, judged(conductor, plan.json), checklist.occasions(plan.json))


def after_apply(conductor: Conductor, terraform: Terraform) -> None:
    """What the plan could not tell: blockers end it before anybody waits for a rollout that can't succeed."""
    from orchestrator.preflight import Occasion

    _stop_at_blockers(conductor, judged(conductor, terraform.state()), (Occasion.DEPLOY,))


def _stop_at_blockers(conductor: Conductor, evidence: Evidence, occasions: Collection[Occasion]) -> bool:
    from orchestrator.app import checklist

    remarks = checklist.examine(evidence, conductor.options.directory, occasions)
    shown = remarks if conductor.options.as_json else tuple(checklist.condensed(remarks))
    checklist.tell(shown, conductor.emit, everything=False)
    refusal = checklist.refusal(remarks)
    if refusal:
        raise refusal
    return bool(checklist.not_known(remarks))
