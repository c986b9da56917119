"""`orchestrate policy`: the least IAM policy for each command."""

from __future__ import annotations

import json
from typing import Any

import click

from orchestrator.cli.options import contract_option, place_options
from orchestrator.cli.shape import command


@command()
@click.argument("commands", nargs=-1, metavar="[COMMAND]...")
@contract_option
@click.option("--database-transport", help="Same as in the command: ssm (through the runner) or direct.")
@click.option("--lock-dir", help="Same as in the command: folder of the lock, instead of next to the state.")
@click.option(
    "--lock", metavar="s3://BUCKET/KEY", help="Same as in the command: the lock, instead of the one next to the state."
)
@click.option("--backup-bucket", help="Same as in the command: bucket for backups, instead of the one that is found.")
@click.option(
    "--zone-id", "zone_ids", multiple=True, metavar="ID", help="Id of the hosted zone (repeatable) [default: any]."
)
@click.option(
    "--kms-key",
    "kms_keys",
    multiple=True,
    metavar="ARN",
    help="Customer managed KMS key that encrypts parts of the stack (repeatable) [default: those in Terraform's "
    "state].",
)
@place_options
def policy(
    commands: tuple[str, ...], *, zone_ids: tuple[str, ...], kms_keys: tuple[str, ...], as_json: bool, **given: Any
) -> None:
    """Print the smallest IAM policy for these commands on this stack (for all commands if none is named).

    The output is ready for `aws iam create-policy --policy-document`. It is computed from the contract, without asking
    AWS. A command of two words is one argument: `orchestrate policy status "dns plan"`. What the policy leaves out is
    listed on standard error.
    """
    from orchestrator.cli.edge import stack_of
    from orchestrator.workflows.policy import policy

    made = policy(stack_of(given), commands, zone_ids=zone_ids, kms_keys=kms_keys)
    click.echo(json.dumps(made.document, indent=None if as_json else 2))
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
