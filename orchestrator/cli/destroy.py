"""`orchestrate destroy`: a verified backup, then `terraform destroy`, then a look at what is left."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import certificate_options, terraform_options

if TYPE_CHECKING:
    from orchestrator.app.demolition import Demolition
    from orchestrator.cli.conduct import Conductor
    from orchestrator.contract import Stack
    from orchestrator.errors import Outcome
    from orchestrator.lifecycle.gate import Kept
    from orchestrator.terraform import Plan, Terraform


@click.command()
@click.option("--no-backup", is_flag=True, help="Lose everything in the stack for good.")
@click.option("--confirm", metavar="TEXT", help="What you would type at the prompt: the stack's name.")
@click.option(
    "--allow-loss",
    multiple=True,
    metavar="NAME[@CHECKSUM]",
    help="Accept this loss, which no backup covers (repeatable).",
)
@terraform_options
@certificate_options
def destroy(confirm: str | None, allow_loss: tuple[str, ...], *, no_backup: bool, **given: Any) -> None:
    """Stop the services, back everything up, verify the backup, destroy the stack, and report what is left.

    First it shows what goes, and asks for the stack's name; the answer is bound to exactly that plan. With --no-backup
    the answer is `NAME without backup`. What the plan would lose beside the stack's own data, and no backup holds, is
    refused unless --allow-loss names it. Interrupted, the same command goes on.
    """
    from orchestrator.cli.apply import initialise, plan_options, planned, prepare
    from orchestrator.cli.backup import options
    from orchestrator.cli.conduct import conduct
    from orchestrator.errors import Invalid, Outcome, Problem

    def work(conductor: Conductor) -> Outcome:
        if given["targets"] or given["replaces"]:
            fix = "leave them out; `terraform destroy -target` destroys a part, without any of this"
            raise Invalid(Problem("destroy-in-part", "this command works on a whole stack", "-target, -replace", fix))
        terraform = prepare(conductor)
        initialise(conductor, terraform)
        with conductor.exclusive():
            demolition = _demolition(conductor, terraform)
            if demolition is None:
                conductor.text("There is nothing here: Terraform has no outputs, and no backup tells of a stack.")
                return Outcome.SUCCEEDED
            with planned(conductor, terraform, replace(plan_options(given), destroy=True), None) as plan:
                if plan.has_changes:
                    _refuse_other_losses(conductor, demolition, plan, allow_loss, no_backup=no_backup)
                    outcome = _destroyed(conductor, terraform, demolition, plan, confirm, no_backup=no_backup)
                    if outcome is not Outcome.SUCCEEDED:
                        return outcome
            return _look_back(conductor, demolition)

    conduct("destroy", options(given), work, recorded=True)


def _demolition(conductor: Conductor, terraform: Terraform) -> Demolition | None:
    from orchestrator.app.demolition import Demolition
    from orchestrator.cli.backup import safekeeping_of
    from orchestrator.lifecycle.restore.way import DATABASE

    stack = _stack(conductor, terraform)
    if stack is None:
        return None
    dumps = not terraform.declares(DATABASE) and stack.runner is not None
    return Demolition(safekeeping_of(conductor, stack), conductor.emit, dumps=dumps)


def _stack(conductor: Conductor, terraform: Terraform) -> Stack | None:
    """From the outputs; a destroy that was cut short has taken them away: then from the backup it had made."""
    from orchestrator import app
    from orchestrator.cli.backup import copies

    stack = app.contract_of_outputs(terraform, conductor.redact.learn)
    if stack is None:
        known = next((one for one in copies(conductor.options.directory) if one.purpose == "destroy"), None)
        stack = app.owned(known.stack_of(), terraform) if known else None
    if stack is not None:
        stack.ownership  # noqa: B018 - as the state has it now: afterwards it tells nothing any more
    return stack


def _refuse_other_losses(
    conductor: Conductor, demolition: Demolition, plan: Plan, allowed: tuple[str, ...], *, no_backup: bool
) -> None:
    """Say what the plan leads to; raise `Refused` for losses that are neither in a backup nor named.

    What becomes of the stack's own data and sites is said in figures, the rest as for every plan.
    """
    from orchestrator.cli.apply import foreseen, read, refuse, tell
    from orchestrator.lifecycle.destroy.stock import told
    from orchestrator.lifecycle.gate import accepted

    read(plan, text=False)
    foresight = foreseen(conductor, plan).beside(demolition.foreseen(plan.json), plan.json)
    for line in told(demolition.stock(), no_backup=no_backup):
        conductor.text(line)
    every, stack = foresight.consequences, demolition.stack
    in_figures = accepted(every, stack, no_backup=False)
    tell(conductor, replace(foresight, consequences=tuple(one for one in every if one.name not in in_figures)))
    refuse(foresight, (*allowed, *accepted(every, stack, no_backup=no_backup)))


def _destroyed(
    conductor: Conductor,
    terraform: Terraform,
    demolition: Demolition,
    plan: Plan,
    confirm: str | None,
    *,
    no_backup: bool,
) -> Outcome:
    from orchestrator.cli.apply import execute
    from orchestrator.errors import Outcome, Refused
    from orchestrator.lifecycle.gate import Asked, Kept, obstacles, unconfirmed
    from orchestrator.terraform.plan import checksum

    name, shown = demolition.stack.stack, plan.checksum
    typed = confirm if confirm is not None else _typed(conductor, name, no_backup=no_backup)
    asked = Asked(name, typed, shown, shown, no_backup)
    if wrong := unconfirmed(asked):
        raise Refused(*wrong)
    kept = Kept()
    if not no_backup:
        outcome, kept = _backed_up(conductor, demolition)
        if outcome is not Outcome.SUCCEEDED:
            _say_how_to_go_back(conductor)
            return outcome
    if wrong := obstacles(replace(asked, plan=checksum(plan.path)), kept):
        _say_how_to_go_back(conductor)
        raise Refused(*wrong)
    outcome = demolition.clear_the_way(conductor.change).outcome
    if outcome is Outcome.SUCCEEDED:
        execute(conductor, terraform, plan)
    return outcome


def _say_how_to_go_back(conductor: Conductor) -> None:
    from orchestrator.events import FindingReported

    fix = "run the command again; or, to keep the stack, `orchestrate backup --stop-services`, which starts them again"
    text = "nothing was destroyed; the services may be stopped, their counts are kept"
    conductor.emit(FindingReported(step="destroy", detail=text, code="destroy-stopped-half-way", fix=fix))


def _typed(conductor: Conductor, name: str, *, no_backup: bool) -> str:
    from orchestrator.errors import Invalid, Problem
    from orchestrator.lifecycle.gate import phrase

    wanted = phrase(name, no_backup=no_backup)
    if conductor.options.as_json or conductor.voice.unheard or not sys.stdin.isatty():
        fix = f"add --confirm {wanted!r}"
        raise Invalid(Problem("approval-needed", "there is no terminal to ask on", "", fix))
    conductor.text(f"To destroy it, type: {wanted}")
    return conductor.ask("  Enter a value: ")


def _backed_up(conductor: Conductor, demolition: Demolition) -> tuple[Outcome, Kept]:
    from orchestrator.cli.backup import take
    from orchestrator.errors import Outcome
    from orchestrator.lifecycle.gate import Kept

    manifest, there = demolition.backup()
    if there:
        conductor.text(f"backup {manifest.id} is good, and nothing has changed since: {manifest.place}")
    else:
        outcome = take(conductor, demolition.keeping, manifest)
        if outcome is not Outcome.SUCCEEDED:
            return outcome, Kept()
        manifest = demolition.keeping.vault.get(manifest.id)
    return Outcome.SUCCEEDED, demolition.kept(manifest)


def _look_back(conductor: Conductor, demolition: Demolition) -> Outcome:
    from orchestrator.events import FindingReported

    outcome = demolition.look_back(conductor.change).outcome
    for tenant, one in sorted(demolition.stack.tenants.items()):
        text = f"{one.hostname} still has its DNS record, and leads nowhere now"
        fix = "leave it for a restore, which points it to the new load balancer; or delete it at your provider"
        conductor.emit(FindingReported(step="destroy", subject=tenant, detail=text, code="dns-leads-nowhere", fix=fix))
    conductor.text("Sessions were in Redis: after a restore everybody must sign in again.")
    return outcome
