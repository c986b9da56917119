"""The stack again, with its data, from a backup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.errors import Outcome
from orchestrator.events import Emit, FindingReported
from orchestrator.terraform import PlanOptions
from orchestrator.workflows.approval import approve
from orchestrator.workflows.backup import copies, safekeeping_of
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.planning import execute, foreseen, initialise, planned, prepare, read, refuse, tell
from orchestrator.workflows.run import bring_to_life

if TYPE_CHECKING:
    from orchestrator.app import PlanConsequences
    from orchestrator.app.restoration import Restoration
    from orchestrator.lifecycle.restore.marker import Marker
    from orchestrator.stack.contract import Stack
    from orchestrator.terraform import Plan, Terraform


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """`manifest` is a file, or s3://BUCKET/ID/manifest.json; None: the newest backup made from this directory."""

    manifest: str | None = None
    allow_loss: Sequence[str] = ()
    """Losses and outages that are meant: NAME, or NAME@CHECKSUM of one plan."""
    approved: bool = False
    terraform: PlanOptions = field(default_factory=PlanOptions)


@dataclass(frozen=True, slots=True)
class RestoreInputs:
    """What a restore works with: the backup, Terraform, the losses that were named, and whether it needn't ask."""

    execution: Execution
    terraform: Terraform
    restoration: Restoration
    allowed: tuple[str, ...]
    approved: bool


def restore(
    stack: StackRef, options: RestoreOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Apply Terraform from a backup's snapshots, bring files and keys back, prove it, and bring the stack to life."""
    chosen = options or RestoreOptions()

    def work(execution: Execution) -> Outcome:
        terraform = prepare(execution)
        initialise(execution, terraform)
        with execution.exclusive():
            return _restored(execution, terraform, chosen)

    return perform("restore", stack, work, emit=emit, caller=caller, steps=StepOptions(allow_zero=True), recorded=True)


def _restored(execution: Execution, terraform: Terraform, chosen: RestoreOptions) -> Outcome:
    restoration = _restoration(execution, chosen.manifest)
    wanted = chosen.terraform
    way = restoration.choose(terraform.declares)
    wanted = replace(wanted, variables=(*wanted.variables, *way.variables))
    made = RestoreInputs(execution, terraform, restoration, tuple(chosen.allow_loss), chosen.approved)
    outcome, stack = _applied(made, wanted)
    if outcome is Outcome.SUCCEEDED:
        outcome = _data_returned(made, stack)
    return _alive(execution, restoration, stack) if outcome is Outcome.SUCCEEDED else outcome


def _restoration(execution: Execution, place: str | None) -> Restoration:
    """The backup, found and verified: nothing is applied from one that is not whole."""
    from orchestrator.app.restoration import Restoration
    from orchestrator.errors import Invalid, Problem, Refused

    if not place:
        known = next((one for one in copies(execution.directory) if one.complete), None)
        if known is None:
            fix = "name one: s3://BUCKET/ID/manifest.json (`aws s3 ls` shows the bucket STACK-backups-ACCOUNT-…)"
            raise Invalid(Problem("manifest-missing", "no backup was made from this directory", "MANIFEST", fix))
        place = known.place
    restoration = Restoration(place, execution.settings, execution.environment, execution.clock, execution.access)
    restoration.aws.require_account(restoration.manifest.account_id)
    execution.text(f"backup {restoration.manifest.id} of {restoration.manifest.stack}: {restoration.manifest.place}")
    if defects := restoration.defects():
        raise Refused(*defects)
    return restoration


def _applied(given: RestoreInputs, wanted: PlanOptions) -> tuple[Outcome, str]:
    """The stack is there, made from the snapshots; its name."""
    from orchestrator import app
    from orchestrator.app.restoration import born_of_snapshots, target_of
    from orchestrator.errors import Refused
    from orchestrator.lifecycle.restore.target import obstacles

    restoration = given.restoration
    present = app.contract_of_outputs(given.terraform, given.execution.redact.learn)
    with planned(given.execution, given.terraform, wanted, None) as plan:
        born = born_of_snapshots(plan.json)
        # A stack of somebody's own says what it is only when it is there: looked at again before its data come.
        assumed = restoration.manifest.stack_of() if restoration.way.loads else None
        target = target_of(plan.json if plan.has_changes else {}, present, assumed)
        before = restoration.progress(target.stack)
        under_way = before is not None and before.under_way and not _disturbed(given.execution, before, present)
        replaceable = born is not None or restoration.way.loads
        target = replace(target, live=present is not None and not under_way, replaceable=replaceable)
        if wrong := obstacles(restoration.manifest, target):
            raise Refused(*wrong)
        if not target.live or present is None:
            # An earlier one may have come further, on a stack that is gone since.
            _made(given, plan, target.stack, before, begins=not under_way or present is None)
            return Outcome.SUCCEEDED, target.stack
    again = replace(wanted, replaces=(*wanted.replaces, *(born or ())))
    with planned(given.execution, given.terraform, again, None) as plan:
        return _replaced(given, plan, present), target.stack


def _disturbed(execution: Execution, before: Marker, present: Stack | None) -> bool:
    """Whether services have run since losses were named for it, and it still takes what it finds for those."""
    if present is None or not before.overwrites or not safekeeping_of(execution, present).has_run(before.when):
        return False
    text = f"services have run since {before.at}, when the restore began: what the stack holds is inspected again"
    fix = "name again what may be lost; to keep the stack as it is: `orchestrate resume`"
    execution.emit(FindingReported(step="restore", detail=text, code="restore-disturbed", fix=fix))
    return True


def _made(given: RestoreInputs, plan: Plan, stack: str, before: Marker | None, *, begins: bool) -> None:
    from orchestrator.lifecycle.restore.marker import BEGUN

    if plan.has_changes:
        question = f"Restore {given.restoration.manifest.id} to {stack} with this plan?"
        _agreed(given, plan, foreseen(given.execution, plan), question)
    if begins:
        given.restoration.note(stack, BEGUN, before.lost if before and before.unfinished else ())
    _execute(given, plan)


def _replaced(given: RestoreInputs, plan: Plan, present: Stack) -> Outcome:
    """What a live stack holds gives way to the backup: what that loses is named before anything is touched."""
    from orchestrator.lifecycle.restore.marker import BEGUN, REPLACING

    execution, restoration = given.execution, given.restoration
    keeping = safekeeping_of(execution, present)
    execution.text(f"{present.stack} exists: looking for what it holds that the backup doesn't")
    losses = restoration.losses(keeping, execution.emit)
    plan_consequences = foreseen(execution, plan).beside(losses, plan.json)
    question = f"Replace the data of {present.stack} with that of {restoration.manifest.id}?"
    _agreed(given, plan, plan_consequences, question)
    lost = {one.name for one in losses}
    restoration.note(present.stack, REPLACING, lost)
    outcome = restoration.clear_the_way(keeping, plan.json, execution.emit, execution.change).outcome
    if outcome is not Outcome.SUCCEEDED:
        fix = "run the command again; to keep the stack as it is: `orchestrate resume`"
        text = "nothing was replaced; services may be stopped, and their counts are remembered"
        execution.emit(FindingReported(step="restore", detail=text, code="restore-not-begun", fix=fix))
        return outcome
    _execute(given, plan)
    restoration.note(present.stack, BEGUN, lost)
    return outcome


def _agreed(given: RestoreInputs, plan: Plan, plan_consequences: PlanConsequences, question: str) -> None:
    """The plan was shown with what it leads to, and nothing is lost that wasn't named."""
    if plan.has_changes:
        read(plan, text=given.execution.for_people)
        if given.execution.for_people:
            given.execution.text(plan.text)
    tell(given.execution, plan_consequences)
    refuse(plan_consequences, given.allowed)
    approve(given.execution, given.approved, question)


def _execute(given: RestoreInputs, plan: Plan) -> None:
    if plan.has_changes:
        execute(given.execution, given.terraform, plan)


def _data_returned(given: RestoreInputs, stack: str) -> Outcome:
    from orchestrator import app
    from orchestrator.app.restoration import target_of
    from orchestrator.errors import Invalid, Problem, Refused
    from orchestrator.lifecycle.restore.marker import RETURNED
    from orchestrator.lifecycle.restore.target import obstacles

    execution, restoration = given.execution, given.restoration
    contract = app.contract_of_outputs(given.terraform, execution.redact.learn)
    if contract is None:
        raise Invalid(Problem("no-outputs", "Terraform has no outputs after its apply", stack, "run it again"))
    if wrong := obstacles(restoration.manifest, target_of({}, contract)):
        raise Refused(*wrong)
    before = restoration.progress(stack)
    if before is not None and before.state == RETURNED:
        return Outcome.SUCCEEDED
    keeping = safekeeping_of(execution, contract)
    outcome = restoration.return_data(keeping, given.allowed, execution.emit, execution.change).outcome
    if outcome is Outcome.SUCCEEDED:
        restoration.note(stack, RETURNED)
    return outcome


def _alive(execution: Execution, restoration: Restoration, stack: str) -> Outcome:
    """As after a pause: the tasks there were, and the workflow's own steps until the sites answer."""
    from orchestrator import app
    from orchestrator.lifecycle.restore.marker import DONE

    outcome = bring_to_life(execution, kind=partial(app.Resuming, who=execution.caller.who))
    if outcome is Outcome.SUCCEEDED:
        restoration.note(stack, DONE)
        execution.text(
            "Restored, and proven identical. Sessions were in Redis, which no backup holds: everybody "
            "must sign in again."
        )
    return outcome
