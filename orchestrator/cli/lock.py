"""`orchestrate lock`: where the stack's lock is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from orchestrator.cli.options import place_options
from orchestrator.cli.shape import command


@command()
@click.option("--lock-dir", help="Folder of the lock, instead of next to the state.")
@click.option("--lock", "named", metavar="s3://BUCKET/KEY", help="The lock, instead of the one next to the state.")
@place_options
def lock(lock_dir: str | None, named: str | None, directory: Path, *, as_json: bool) -> None:
    """Show where the stack's lock is, and who holds it. Changes nothing.

    It is next to Terraform's state (a file, or an object in S3), so that all who share the state exclude each other.

    A state in pg, http, gcs, azurerm, another backend or HCP Terraform has no place for it. Name one for all machines
    that run on the stack: --lock s3://BUCKET/KEY, or `lock` in orchestrate.toml. The bucket may be any; each machine
    needs s3:GetObject, s3:PutObject and s3:DeleteObject on that one object. --lock-dir FOLDER excludes only those that
    share the folder.
    """
    from orchestrator.cli.edge import stack_of
    from orchestrator.workflows.unlock import seen

    found = seen(stack_of({"directory": directory, "lock_dir": lock_dir, "lock": named}))
    if as_json:
        click.echo(json.dumps({"place": found.place, "holder": found.holder}))
    else:
        click.echo(f"{found.place}: {f'held by {found.holder}' if found.holder else 'nobody holds it'}")
