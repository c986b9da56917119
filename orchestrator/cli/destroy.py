"""`orchestrate destroy`: a verified backup, then `terraform destroy`, then a look at what is left."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import certificate_options, plan_options, terraform_options
from orchestrator.cli.shape import command


@command()
@click.option("--no-backup", is_flag=True, help="Destroy without a backup: everything in the stack is lost for good.")
@click.option("--confirm", metavar="TEXT", help="Answer the prompt with this text (the stack's name).")
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

    First it shows what will be deleted and asks for the stack's name; the answer is bound to exactly that plan. With
    --no-backup the answer is `NAME without backup`. If the plan would lose anything else that no backup holds, it is
    refused unless --allow-loss names it. If it is interrupted, the same command continues.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.destroy import DestroyOptions, destroy

    options = DestroyOptions(confirm=confirm, no_backup=no_backup, allow_loss=allow_loss, terraform=plan_options(given))
    carry_out(destroy, options, given, watched=True)
