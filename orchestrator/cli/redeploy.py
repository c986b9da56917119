"""`orchestrate redeploy`: a new deployment of services that somebody names, and the wait for it."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import complete
from orchestrator.cli.options import care_options, chosen_steps, contract_option, place_options, settings_options
from orchestrator.cli.shape import command


@command()
@click.argument("tenants", nargs=-1, required=True, metavar="TENANT...", shell_complete=complete.tenants)
@contract_option
@care_options
@place_options
@settings_options
def redeploy(*, tenants: tuple[str, ...], **given: Any) -> None:
    """Force a new deployment of a tenant's service, with the task definition it has, and wait until it is up.

    Use it when new tasks help: after a change of a secret or a record that tasks read when they start, or if somebody
    deregistered targets. It doesn't ask: ECS stops no old task before a new one is healthy, unless the service's own
    limits allow it.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.redeploy import RedeployOptions, redeploy

    carry_out(redeploy, RedeployOptions(**chosen_steps({**given, "tenants": tenants})), given)
