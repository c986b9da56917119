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
    """Continue a blue/green, linear or canary deployment that waits at a pause hook (ContinueServiceDeployment).

    Without a TENANT, it continues all that wait. It shows the stage of each, and asks. It works while an `orchestrate
    run` or `apply` waits for the same deployment. A later hook is not answered: run the command again for that.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.continue_ import ContinueOptions, continue_

    carry_out(continue_, ContinueOptions(tenants=tenants, approved=auto_approve), given)
