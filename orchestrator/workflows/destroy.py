"""A verified backup, then `terraform destroy`, then a look at what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orchestrator.errors import Invalid, Outcome, Problem
from orchestrator.events import Emit, FindingReported
from orchestrator.terraform import PlanOptions
from orchestrator.workflows.backup import copies, safekeeping_of, take
from orchestrator.workflows.caller import Caller, Question, StackRef, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.planning import execute, foreseen, initialise, planned, prepare, read, refuse, tell

if TYPE_CHECKING:
    from orchestrator.app.destruction import Destruction
    from orchestrator.lifecycle.gate import KnownBackup
    from orchestrator.stack.contract import Stack
    from orchestrator.terraform import Plan, Terraform


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyOptions:
    """`confirm` is what would be typed at the question: the stack's name."""

    confirm: str | None = None
    no_backup: bool = False
    """Lose everything in it for good."""
    allow_loss: Sequence[str] = ()
    """Losses, which no backup holds, that are meant."""
    terraform: PlanOptions = field(default_factory=PlanOptions)


def destroy(
    stack: StackRef, options: DestroyOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Stop the services, back everything up, verify the backup, destroy the stack, and look what is left.

    What the plan would lose beside the stack's own data, and no backup holds, is refused unless it is named.
    """
    chosen = options or DestroyOptions()

    def work(execution: Execution) -> Outcome:
        wanted = chosen.terraform
        if wanted.targets or wanted.replaces:
            fix = (
                "leave them out; `terraform destroy -target` destroys a part, without a backup and without these checks"
            )
            raise Invalid(Problem("destroy-in-part", "this command works on a whole stack", "-target, -replace", fix))
        terraform = prepare(execution)
        initialise(execution, terraform)
        with execution.exclusive():
            return _destroy(execution, terraform, replace(wanted, destroy=True), chosen)

    return perform("destroy", stack, work, emit=emit, caller=caller, recorded=True)


def _destroy(execution: Execution, terraform: Terraform, wanted: PlanOptions, chosen: DestroyOptions) -> Outcome:
    demolition = _demolition(execution, terraform)
    if demolition is None:
        execution.text("There is nothing to destroy: Terraform has no outputs, and no backup was made here.")
        return Outcome.SUCCEEDED
    without = chosen.no_backup
    with planned(execution, terraform, wanted, None) as plan:
        if plan.has_changes:
            _refuse_other_losses(execution, demolition, plan, tuple(chosen.allow_loss), no_backup=without)
            outcome = _destroyed(execution, terraform, demolition, plan, chosen.confirm, no_backup=without)
            if outcome is not Outcome.SUCCEEDED:
                return outcome
    return _look_back(execution, demolition)


def _demolition(execution: Execution, terraform: Terraform) -> Destruction | None:
    from orchestrator.app.destruction import Destruction
    from orchestrator.lifecycle.restore.method import DATABASE

    stack = _stack(execution, terraform)
    if stack is None:
        return None
    dumps = not terraform.declares(DATABASE) and stack.runner is not None
    return Destruction(safekeeping_of(execution, stack), execution.emit, dumps=dumps)


def _stack(execution: Execution, terraform: Terraform) -> Stack | None:
    """From the outputs; a destroy that was cut short has taken them away: then from the backup it had made."""
    from orchestrator import app

    stack = app.contract_of_outputs(terraform, execution.redact.learn)
    if stack is None:
        known = next((one for one in copies(execution.directory) if one.purpose == "destroy"), None)
        stack = app.owned(known.stack_of(), terraform) if known else None
    if stack is not None:
        stack.ownership  # noqa: B018 - as the state has it now: afterwards it tells nothing any more
    return stack


def _refuse_other_losses(
    execution: Execution, demolition: Destruction, plan: Plan, allowed: tuple[str, ...], *, no_backup: bool
) -> None:
    """Say what the plan leads to; raise `Refused` for losses that are neither in a backup nor named.

    What becomes of the stack's own data and sites is said in figures, the rest as for every plan.
    """
    from orchestrator.lifecycle.destroy.stored_data import told
    from orchestrator.lifecycle.gate import accepted

    read(plan, text=False)
    plan_consequences = foreseen(execution, plan).beside(demolition.foreseen(plan.json), plan.json)
    for line in told(demolition.stock(), no_backup=no_backup):
        execution.text(line)
    every, stack = plan_consequences.consequences, demolition.stack
    in_figures = accepted(every, stack, no_backup=False)
    tell(execution, replace(plan_consequences, consequences=tuple(one for one in every if one.name not in in_figures)))
    refuse(plan_consequences, (*allowed, *accepted(every, stack, no_backup=no_backup)))


def _destroyed(
    execution: Execution,
    terraform: Terraform,
    demolition: Destruction,
    plan: Plan,
    confirm: str | None,
    *,
    no_backup: bool,
) -> Outcome:
    from orchestrator.errors import Refused
    from orchestrator.lifecycle.gate import Confirmation, KnownBackup, obstacles, unconfirmed
    from orchestrator.terraform.plan import checksum

    name, shown = demolition.stack.stack, plan.checksum
    typed = confirm if confirm is not None else _typed(execution, name, no_backup=no_backup)
    asked = Confirmation(name, typed, shown, shown, no_backup)
    if wrong := unconfirmed(asked):
        raise Refused(*wrong)
    kept = KnownBackup()
    if not no_backup:
        outcome, kept = _backed_up(execution, demolition)
        if outcome is not Outcome.SUCCEEDED:
            _say_how_to_go_back(execution)
            return outcome
    if wrong := obstacles(replace(asked, plan=checksum(plan.path)), kept):
        _say_how_to_go_back(execution)
        raise Refused(*wrong)
    outcome = demolition.clear_the_way(execution.change).outcome
    if outcome is Outcome.SUCCEEDED:
        execute(execution, terraform, plan)
    return outcome


def _say_how_to_go_back(execution: Execution) -> None:
    fix = "run the command again; or, to keep the stack, `orchestrate backup --stop-services`, which starts them again"
    text = "nothing was destroyed; services may be stopped, and their counts are remembered"
    execution.emit(FindingReported(step="destroy", detail=text, code="destroy-stopped-half-way", fix=fix))


def _typed(execution: Execution, name: str, *, no_backup: bool) -> str:
    from orchestrator.lifecycle.gate import phrase

    wanted = phrase(name, no_backup=no_backup)
    text, fix = f"To destroy it, type: {wanted}", f"add --confirm {wanted!r}"
    return execution.ask(Question(prompt="  Enter a value: ", text=text, wanted=wanted, fix=fix))


def _backed_up(execution: Execution, demolition: Destruction) -> tuple[Outcome, KnownBackup]:
    from orchestrator.lifecycle.gate import KnownBackup

    manifest, there = demolition.backup()
    if there:
        execution.text(f"backup {manifest.id} is good, and nothing has changed since: {manifest.place}")
    else:
        outcome = take(execution, demolition.keeping, manifest)
        if outcome is not Outcome.SUCCEEDED:
            return outcome, KnownBackup()
        manifest = demolition.keeping.vault.get(manifest.id)
    return Outcome.SUCCEEDED, demolition.kept(manifest)


def _look_back(execution: Execution, demolition: Destruction) -> Outcome:
    outcome = demolition.look_back(execution.change).outcome
    for tenant, one in sorted(demolition.stack.tenants.items()):
        text = f"{one.hostname} still has its DNS record, which now points to nothing"
        fix = "leave it for a restore, which points it to the new load balancer; or delete it at your provider"
        execution.emit(FindingReported(step="destroy", subject=tenant, detail=text, code="dns-leads-nowhere", fix=fix))
    execution.text("Sessions were in Redis: after a restore, everybody must sign in again.")
    return outcome
