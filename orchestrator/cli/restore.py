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
    """Apply Terraform from a backup's snapshots, bring files and keys back, prove it, and bring the stack to life.

    MANIFEST is a file, or s3://BUCKET/ID/manifest.json; without one it is the newest backup made from this directory.
    Under another stack name it makes a copy, which needs hostnames of its own. On a stack that is there, what it holds
    and the backup doesn't is told and refused, unless each loss is named by --allow-loss; then its data are replaced.
    Interrupted, the same command goes on.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.restore import RestoreOptions, restore

    options = RestoreOptions(
        manifest=manifest, allow_loss=allow_loss, approved=auto_approve, terraform=plan_options(given)
    )
    carry_out(restore, options, given)
