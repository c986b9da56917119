"""`orchestrate shell`: a shell on an instance of the stack, through SSM."""

from __future__ import annotations

import sys
from typing import Any, Literal

import click

from orchestrator.cli import complete
from orchestrator.cli.options import chosen_steps, contract_option, directory_option, settings_options
from orchestrator.cli.shape import command


@command()
@click.argument("where", type=click.Choice(["vespa", "opensearch", "runner"]), metavar="[vespa|opensearch|runner]")
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.tenants,
    help="Tenant whose search index to open, if there are several.",
)
@contract_option
@directory_option
@settings_options
def shell(where: Literal["vespa", "opensearch", "runner"], **given: Any) -> None:
    """Open a shell on the instance of a tenant's search index, or on the runner. Needs AWS's session-manager-plugin.

    The session starts with your own permissions (ssm:StartSession), and the plugin takes over the terminal.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.shell import ShellOptions, shell

    options = ShellOptions(**chosen_steps(given), where=where, before=sys.stdout.flush)
    carry_out(shell, options, given)
