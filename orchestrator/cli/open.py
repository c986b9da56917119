"""`orchestrate open`: a tenant's site in the browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from orchestrator.cli import complete
from orchestrator.cli.options import contract_option, directory_option, settings_options
from orchestrator.cli.shape import command


@command()
@click.argument("tenant", shell_complete=complete.tenants)
@contract_option
@directory_option
@settings_options
def open(tenant: str, contract: str | None, directory: Path, **settings: Any) -> None:  # noqa: A001 - a command's function bears its name
    """Open a tenant's site in the browser; without a terminal, print its address.

    The address comes from the contract, without a call to AWS; whether the site is up is shown by `orchestrate
    status`.
    """
    from orchestrator.cli.contract import asked
    from orchestrator.cli.edge import stack_of
    from orchestrator.workflows.caller import Caller
    from orchestrator.workflows.site_address import site_address

    stack = stack_of({"directory": directory, "contract": contract, **settings})
    address = site_address(stack, tenant, caller=Caller(ask=asked))
    click.echo(address)
    if sys.stdout.isatty():
        click.launch(address)
