"""`orchestrate pause`: services to 0, database server and instances stopped; the data stay."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli import complete
from orchestrator.cli.options import chosen_steps, contract_option, run_options, settings_options
from orchestrator.cli.shape import command


@command()
@contract_option
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.tenants,
    help="Only this tenant's service (repeatable).",
)
@click.option(
    "--keep-paused", is_flag=True, help="On a paused stack: stop the database server if RDS has started it again."
)
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")
@run_options
@settings_options
def pause(*, keep_paused: bool, auto_approve: bool, **given: Any) -> None:
    """Stop what is billed by the hour and can be stopped: services, database server, the indexes' instances, runner.

    Tags on the services store their desired counts and autoscaling, so that `orchestrate resume` can restore exactly
    that from any machine. Data, names and the load balancer stay. With --tenant, only services are stopped.
    --keep-paused never asks, and does nothing to a stack that isn't paused.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.pause import PauseOptions, pause

    carry_out(
        pause,
        PauseOptions(**chosen_steps(given), keep_paused=keep_paused, approved=auto_approve),
        given,
        watched=True,
    )
