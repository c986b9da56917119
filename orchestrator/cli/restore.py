"""`orchestrate restore`: the stack again, with its data, from a backup."""

from __future__ import annotations

import socket
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import certificate_options, terraform_options

if TYPE_CHECKING:
    from orchestrator.app.restoration import Restoration
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome
    from orchestrator.terraform import Plan, Terraform


@click.command()
@click.argument("manifest", required=False)
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")
@click.option(
    "--allow-loss",
    multiple=True,
    metavar="NAME[@CHECKSUM]",
    help="This loss or outage by the plan is meant (repeatable).",
)
@terraform_options
@certificate_options
def restore(manifest: str | None, allow_loss: tuple[str, ...], *, auto_approve: bool, **given: Any) -> None:
    """Apply Terraform from a backup's snapshots, bring files and keys back, prove it, and bring the stack to life.

    MANIFEST is a file, or s3://BUCKET/ID/manifest.json; without one it is the newest backup made from this directory.
    Under another stack name it makes a copy, which needs hostnames of its own. Interrupted, the same command goes on.
    """
    from orchestrator.cli.apply import initialise, plan_options, planned, prepare
    from orchestrator.cli.backup import options
    from orchestrator.cli.conduct import conduct
    from orchestrator.errors import Outcome

    def work(conductor: Conductor) -> Outcome:
        terraform = prepare(conductor)
        initialise(conductor, terraform)
        with conductor.exclusive():
            restoration = _restoration(conductor, manifest)
            wanted = plan_options(given)
            wanted = replace(wanted, variables=(*wanted.variables, *restoration.variables()))
            with planned(conductor, terraform, wanted, None) as plan:
                stack = _applied(conductor, terraform, restoration, plan, allow_loss, approved=auto_approve)
            outcome = _data_returned(conductor, terraform, restoration, stack)
            return _alive(conductor, restoration, stack) if outcome is Outcome.SUCCEEDED else outcome

    conduct("restore", options({**given, "allow_zero": True}), work, recorded=True)


def _restoration(conductor: Conductor, place: str | None) -> Restoration:
    """The backup, found and verified: nothing is applied from one that is not whole."""
    from orchestrator.app.restoration import Restoration
    from orchestrator.cli.backup import copies
    from orchestrator.errors import Invalid, Problem, Refused

    if not place:
        known = next((one for one in copies(conductor.options.directory) if one.complete), None)
        if known is None:
            fix = "name one: s3://BUCKET/ID/manifest.json (`aws s3 ls` shows the bucket STACK-backups-ACCOUNT)"
            raise Invalid(Problem("manifest-missing", "no backup was made from this directory", "MANIFEST", fix))
        place = known.place
    restoration = Restoration(place, conductor.settings, conductor.environment, conductor.clock)
    restoration.aws.require_account(restoration.manifest.account_id)
    conductor.text(f"backup {restoration.manifest.id} of {restoration.manifest.stack}: {restoration.manifest.place}")
    if defects := restoration.defects():
        raise Refused(*defects)
    return restoration


def _applied(
    conductor: Conductor,
    terraform: Terraform,
    restoration: Restoration,
    plan: Plan,
    allowed: tuple[str, ...],
    *,
    approved: bool,
) -> str:
    """The stack is there, made from the snapshots; its name."""
    from orchestrator import app
    from orchestrator.app.restoration import target_of
    from orchestrator.cli.apply import approve, execute, foretell, read, refuse
    from orchestrator.errors import Refused
    from orchestrator.lifecycle.restore.marker import BEGUN
    from orchestrator.lifecycle.restore.target import obstacles

    present = app.contract_of_outputs(terraform, conductor.redact.learn)
    target = target_of(plan.json if plan.has_changes else {}, present, live=False)
    before = restoration.progress(target.stack)
    under_way = before is not None and before.under_way
    if wrong := obstacles(restoration.manifest, replace(target, live=present is not None and not under_way)):
        raise Refused(*wrong)
    if plan.has_changes:
        read(plan, text=not conductor.options.as_json)
        if not conductor.options.as_json:
            conductor.text(plan.text)
        refuse(foretell(conductor, plan), allowed)
        approve(conductor, approved, f"Restore {restoration.manifest.id} to {target.stack} by this plan?")
    if not under_way or present is None:  # an earlier one may have come further, on a stack that is gone since
        restoration.note(target.stack, BEGUN)
    if plan.has_changes:
        execute(conductor, terraform, plan)
    return target.stack


def _data_returned(conductor: Conductor, terraform: Terraform, restoration: Restoration, stack: str) -> Outcome:
    from orchestrator import app
    from orchestrator.cli.backup import safekeeping_of
    from orchestrator.errors import Invalid, Outcome, Problem
    from orchestrator.lifecycle.restore.marker import RETURNED

    contract = app.contract_of_outputs(terraform, conductor.redact.learn)
    if contract is None:
        raise Invalid(Problem("no-outputs", "Terraform has no outputs after its apply", stack, "run it again"))
    before = restoration.progress(stack)
    if before is not None and before.state == RETURNED:
        return Outcome.SUCCEEDED
    keeping = safekeeping_of(conductor, contract)
    outcome = restoration.return_data(keeping, conductor.emit, conductor.change).outcome
    if outcome is Outcome.SUCCEEDED:
        restoration.note(stack, RETURNED)
    return outcome


def _alive(conductor: Conductor, restoration: Restoration, stack: str) -> Outcome:
    """As after a pause: the tasks there were, and the workflow's own steps until the sites answer."""
    from orchestrator import app
    from orchestrator.cli.origin import user
    from orchestrator.cli.run import bring_to_life
    from orchestrator.errors import Outcome
    from orchestrator.lifecycle.restore.marker import DONE

    outcome = bring_to_life(conductor, kind=partial(app.Resuming, who=(user(), socket.gethostname())))
    if outcome is Outcome.SUCCEEDED:
        restoration.note(stack, DONE)
        conductor.text("Restored, and proven the same. Sessions were in Redis: everybody must sign in again.")
    return outcome
