"""`orchestrate continue`: deployments that wait at a pause hook go on."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import complete
from orchestrator.cli.options import contract_option, place_options, settings_options
from orchestrator.cli.shape import GroupedCommand


@click.command("continue", cls=GroupedCommand)
@click.argument("tenants", nargs=-1, metavar="[TENANT]...", shell_complete=complete.tenants)
@contract_option
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")
@place_options
@settings_options
def continue_(*, tenants: tuple[str, ...], auto_approve: bool, **given: Any) -> None:
    """Let a blue/green, linear or canary deployment go on that waits at a pause hook (ContinueServiceDeployment).

    Without a TENANT: all that wait. Shows where each stands, and asks. Works beside an `orchestrate run` or `apply`
    that waits for the same deployment. A hook that comes later is not answered: run it again for that.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.going_on import ContinueOptions, continue_

    carry_out(continue_, ContinueOptions(tenants=tenants, approved=auto_approve), given)
