"""`orchestrate backup`: everything that Terraform can't recreate, kept outside the stack."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import certificate_options, contract_option
from orchestrator.cli.shape import command


@command()
@click.option(
    "--stop-services", is_flag=True, help="Stop the services first, so that every part is from the same moment."
)
@click.option(
    "--dump", is_flag=True, help="Also dump each database, for stacks that Terraform can't create from a snapshot."
)
@click.option("--list", "listing", is_flag=True, help="List the existing backups; changes nothing.")
@click.option("--verify", "verified", metavar="ID", help="Check that this backup (or `last`) is complete.")
@click.option("--prune", type=click.IntRange(min=1), metavar="N", help="Delete all but the newest N.")
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="With --prune: don't ask.")
@contract_option
@certificate_options
def backup(
    verified: str | None,
    prune: int | None,
    *,
    stop_services: bool,
    dump: bool,
    listing: bool,
    auto_approve: bool,
    **given: Any,
) -> None:
    """Copy database, files, index and settings out of the stack, and verify the copies.

    If it is interrupted, the same command continues the same backup.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.backup import BackupOptions, backup

    options = BackupOptions(
        listing=listing,
        verified=verified or "",
        prune=prune or 0,
        approved=auto_approve,
        stop_services=stop_services,
        dump=dump,
    )
    carry_out(backup, options, given, watched=True)
