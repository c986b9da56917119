"""`orchestrate policy`: the least IAM policy for each command."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from orchestrator.cli.options import contract_option, place_options


@click.command()
@click.argument("commands", nargs=-1, metavar="[COMMAND]...")
@contract_option
@click.option("--database-transport", help="As in the command: ssm (through the runner) or direct.")
@click.option("--lock-dir", help="As for the command: folder of the lock, instead of beside the state.")
@click.option("--lock", metavar="s3://BUCKET/KEY", help="As in the command: the lock, instead of beside the state.")
@click.option("--backup-bucket", help="As for the command: the bucket of the backups, instead of one that is found.")
@click.option(
    "--zone-id", "zone_ids", multiple=True, metavar="ID", help="Of the hosted zone (repeatable) [default: any]."
)
@place_options
def policy(
    commands: tuple[str, ...],
    contract: str | None,
    *,
    database_transport: str | None,
    lock_dir: str | None,
    lock: str | None,
    backup_bucket: str | None,
    zone_ids: tuple[str, ...],
    directory: Path,
    as_json: bool,
) -> None:
    """Print the least IAM policy for these commands on this stack (all of them, when none is named).

    Ready for `aws iam create-policy --policy-document`: read from the contract, without asking AWS. A command of two
    words is one argument: `orchestrate policy status "dns plan"`. What isn't in it is said on standard error.
    """
    from orchestrator import app
    from orchestrator import policy as policies
    from orchestrator.lifecycle.vault import bucket_of
    from orchestrator.settings import Settings
    from orchestrator.terraform import Terraform

    names = policies.chosen(commands)
    given = {
        "database_transport": database_transport,
        "lock_dir": lock_dir,
        "lock": lock,
        "backup_bucket": backup_bucket,
    }
    settings = Settings({name: value for name, value in given.items() if value}, os.environ, directory)
    terraform = Terraform(directory, os.environ)
    stack = app.contract_from(contract, terraform, os.environ, sys.stdin)
    scope = policies.Scope(
        stack=stack,
        direct=settings["database-transport"] == "direct",
        zone_ids=tuple(zone.rpartition("/")[2] for zone in zone_ids),
        lock=_lock(directory, settings["lock-dir"], settings["lock"]) if policies.takes_lock(names) else None,
        backups=settings["backup-bucket"] or bucket_of(stack.stack, stack.account_id),
    )
    made = policies.policy((grant for name in names for grant in policies.COMMANDS[name]), scope)
    click.echo(json.dumps(made.as_json(), indent=None if as_json else 2))
    for note in policies.remarks(made, names, scope):
        click.echo(f"note: {note}", err=True)


def _lock(directory: Path, lock_dir: Path | None, lock: tuple[str, str] | None) -> tuple[str, str] | None:
    """Bucket and key of the lock, if it is in S3."""
    from orchestrator.lock_places import lock_of

    place = lock_of(directory, os.environ, lock_dir, lock=lock).place
    bucket, _, key = place.removeprefix("s3://").partition("/")
    return (bucket, key) if place.startswith("s3://") else None
