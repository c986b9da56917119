"""`orchestrate restore`: the stack again, with its data, from a backup."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import certificate_options, terraform_options
from orchestrator.errors import Outcome

if TYPE_CHECKING:
    from orchestrator.app import Foresight
    from orchestrator.app.restoration import Restoration
    from orchestrator.cli.conduct import Conductor
    from orchestrator.contract import Stack
    from orchestrator.lifecycle.restore.marker import Marker
    from orchestrator.terraform import Plan, PlanOptions, Terraform


@dataclass(frozen=True, slots=True)
class Given:
    """What a restore works with: the backup, Terraform, the losses that were named, and whether it needn't ask."""

    conductor: Conductor
    terraform: Terraform
    restoration: Restoration
    allowed: tuple[str, ...]
    approved: bool


@click.command()
@click.argument("manifest", required=False)
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")
@click.option(
    "--allow-loss",
    multiple=True,
    metavar="NAME[@CHECKSUM]",
    help="Accept this loss or outage (repeatable); with a checksum, for that plan only.",
)
@terraform_options
@certificate_options
def restore(manifest: str | None, allow_loss: tuple[str, ...], *, auto_approve: bool, **given: Any) -> None:
    """Apply Terraform from a backup's snapshots, bring files and keys back, prove it, and bring the stack to life.

    MANIFEST is a file, or s3://BUCKET/ID/manifest.json; without one it is the newest backup made from this directory.
    Under another stack name it makes a copy, which needs hostnames of its own. On a stack that is there, what it holds
    and the backup doesn't is told and refused, unless each loss is named by --allow-loss; then its data are replaced.
    Interrupted, the same command goes on.
    """
    from orchestrator.cli.apply import initialise, plan_options, prepare
    from orchestrator.cli.backup import options
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        terraform = prepare(conductor)
        initialise(conductor, terraform)
        with conductor.exclusive():
            restoration = _restoration(conductor, manifest)
            wanted = plan_options(given)
            way = restoration.choose(terraform.declares)
            wanted = replace(wanted, variables=(*wanted.variables, *way.variables))
            made = Given(conductor, terraform, restoration, allow_loss, auto_approve)
            outcome, stack = _applied(made, wanted)
            if outcome is Outcome.SUCCEEDED:
                outcome = _data_returned(made, stack)
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
            fix = "name one: s3://BUCKET/ID/manifest.json (`aws s3 ls` shows the bucket STACK-backups-ACCOUNT-…)"
            raise Invalid(Problem("manifest-missing", "no backup was made from this directory", "MANIFEST", fix))
        place = known.place
    restoration = Restoration(place, conductor.settings, conductor.environment, conductor.clock, conductor.access)
    restoration.aws.require_account(restoration.manifest.account_id)
    conductor.text(f"backup {restoration.manifest.id} of {restoration.manifest.stack}: {restoration.manifest.place}")
    if defects := restoration.defects():
        raise Refused(*defects)
    return restoration


def _applied(given: Given, wanted: PlanOptions) -> tuple[Outcome, str]:
    """The stack is there, made from the snapshots; its name."""
    from orchestrator import app
    from orchestrator.app.restoration import born_of_snapshots, target_of
    from orchestrator.cli.apply import planned
    from orchestrator.errors import Refused
    from orchestrator.lifecycle.restore.target import obstacles

    restoration = given.restoration
    present = app.contract_of_outputs(given.terraform, given.conductor.redact.learn)
    with planned(given.conductor, given.terraform, wanted, None) as plan:
        born = born_of_snapshots(plan.json)
        # A stack of somebody's own says what it is only when it is there: looked at again before its data come.
        assumed = restoration.manifest.stack_of() if restoration.way.loads else None
        target = target_of(plan.json if plan.has_changes else {}, present, assumed)
        before = restoration.progress(target.stack)
        under_way = before is not None and before.under_way and not _disturbed(given.conductor, before, present)
        replaceable = born is not None or restoration.way.loads
        target = replace(target, live=present is not None and not under_way, replaceable=replaceable)
        if wrong := obstacles(restoration.manifest, target):
            raise Refused(*wrong)
        if not target.live or present is None:
            # An earlier one may have come further, on a stack that is gone since.
            _made(given, plan, target.stack, before, begins=not under_way or present is None)
            return Outcome.SUCCEEDED, target.stack
    again = replace(wanted, replaces=(*wanted.replaces, *(born or ())))
    with planned(given.conductor, given.terraform, again, None) as plan:
        return _replaced(given, plan, present), target.stack


def _disturbed(conductor: Conductor, before: Marker, present: Stack | None) -> bool:
    """Whether services have run since losses were named for it, and it still takes what it finds for those."""
    from orchestrator.cli.backup import safekeeping_of
    from orchestrator.events import FindingReported

    if present is None or not before.overwrites or not safekeeping_of(conductor, present).has_run(before.when):
        return False
    text = f"services have run since {before.at}, when it began: what the stack holds is looked at again"
    fix = "name again what may be lost; to keep what is there: `orchestrate resume`"
    conductor.emit(FindingReported(step="restore", detail=text, code="restore-disturbed", fix=fix))
    return True


def _made(given: Given, plan: Plan, stack: str, before: Marker | None, *, begins: bool) -> None:
    from orchestrator.cli.apply import foreseen
    from orchestrator.lifecycle.restore.marker import BEGUN

    if plan.has_changes:
        question = f"Restore {given.restoration.manifest.id} to {stack} by this plan?"
        _agreed(given, plan, foreseen(given.conductor, plan), question)
    if begins:
        given.restoration.note(stack, BEGUN, before.lost if before and before.unfinished else ())
    _execute(given, plan)


def _replaced(given: Given, plan: Plan, present: Stack) -> Outcome:
    """What a live stack holds gives way to the backup: what that loses is named before anything is touched."""
    from orchestrator.cli.apply import foreseen
    from orchestrator.cli.backup import safekeeping_of
    from orchestrator.events import FindingReported
    from orchestrator.lifecycle.restore.marker import BEGUN, REPLACING

    conductor, restoration = given.conductor, given.restoration
    keeping = safekeeping_of(conductor, present)
    conductor.text(f"{present.stack} is there: looking at what it holds and the backup doesn't")
    losses = restoration.losses(keeping, conductor.emit)
    foresight = foreseen(conductor, plan).beside(losses, plan.json)
    question = f"Replace the data of {present.stack} by those of {restoration.manifest.id}?"
    _agreed(given, plan, foresight, question)
    lost = {one.name for one in losses}
    restoration.note(present.stack, REPLACING, lost)
    outcome = restoration.clear_the_way(keeping, plan.json, conductor.emit, conductor.change).outcome
    if outcome is not Outcome.SUCCEEDED:
        fix = "run the command again; to keep the stack as it is: `orchestrate resume`"
        text = "nothing was replaced; services may be stopped, their counts are kept"
        conductor.emit(FindingReported(step="restore", detail=text, code="restore-not-begun", fix=fix))
        return outcome
    _execute(given, plan)
    restoration.note(present.stack, BEGUN, lost)
    return outcome


def _agreed(given: Given, plan: Plan, foresight: Foresight, question: str) -> None:
    """The plan was shown with what it leads to, and nothing is lost that wasn't named."""
    from orchestrator.cli.apply import approve, read, refuse, tell

    if plan.has_changes:
        read(plan, text=not given.conductor.options.as_json)
        if not given.conductor.options.as_json:
            given.conductor.text(plan.text)
    tell(given.conductor, foresight)
    refuse(foresight, given.allowed)
    approve(given.conductor, given.approved, question)


def _execute(given: Given, plan: Plan) -> None:
    from orchestrator.cli.apply import execute

    if plan.has_changes:
        execute(given.conductor, given.terraform, plan)


def _data_returned(given: Given, stack: str) -> Outcome:
    from orchestrator import app
    from orchestrator.app.restoration import target_of
    from orchestrator.cli.backup import safekeeping_of
    from orchestrator.errors import Invalid, Problem, Refused
    from orchestrator.lifecycle.restore.marker import RETURNED
    from orchestrator.lifecycle.restore.target import obstacles

    conductor, restoration = given.conductor, given.restoration
    contract = app.contract_of_outputs(given.terraform, conductor.redact.learn)
    if contract is None:
        raise Invalid(Problem("no-outputs", "Terraform has no outputs after its apply", stack, "run it again"))
    if wrong := obstacles(restoration.manifest, target_of({}, contract)):
        raise Refused(*wrong)
    before = restoration.progress(stack)
    if before is not None and before.state == RETURNED:
        return Outcome.SUCCEEDED
    keeping = safekeeping_of(conductor, contract)
    outcome = restoration.return_data(keeping, given.allowed, conductor.emit, conductor.change).outcome
    if outcome is Outcome.SUCCEEDED:
        restoration.note(stack, RETURNED)
    return outcome


def _alive(conductor: Conductor, restoration: Restoration, stack: str) -> Outcome:
    """As after a pause: the tasks there were, and the workflow's own steps until the sites answer."""
    from orchestrator import app
    from orchestrator.cli.origin import user
    from orchestrator.cli.run import bring_to_life
    from orchestrator.lifecycle.restore.marker import DONE

    outcome = bring_to_life(conductor, kind=partial(app.Resuming, who=(user(), socket.gethostname())))
    if outcome is Outcome.SUCCEEDED:
        restoration.note(stack, DONE)
        conductor.text("Restored, and proven the same. Sessions were in Redis, which no backup holds.")
    return outcome
