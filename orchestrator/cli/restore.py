"""`orchestrate restore`: the stack again, with its data, from a backup."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import certificate_options, plan_options, terraform_options
from orchestrator.cli.shape import command


@command()
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
    """Recreate the stack from a backup's snapshots, restore files and keys, and prove that the data is back.

    MANIFEST is a file, or s3://BUCKET/ID/manifest.json; the default is the newest backup made from this directory.
    Under another stack name it makes a copy, which needs hostnames of its own. If the stack exists, everything that it
    holds and the backup doesn't is listed, and the restore is refused unless --allow-loss names each loss; then its
    data is replaced. If it is interrupted, the same command continues.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.restore import RestoreOptions, restore

    options = RestoreOptions(
        manifest=manifest, allow_loss=allow_loss, approved=auto_approve, terraform=plan_options(given)
    )
    carry_out(restore, options, given, watched=True)
