"""`orchestrate resume`: what a pause stopped starts again, in the order in which one needs the other."""

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
    help="Only this tenant (repeatable).",
)
@run_options
@settings_options
def resume(**given: Any) -> None:
    """Bring a paused stack back: database server, instances, search indexes, services with their tasks, DNS, sites.

    Runs the steps of `orchestrate run`, and between them those that start what was stopped. If it is interrupted, the
    same command continues; on a stack that isn't paused it changes nothing that `run` wouldn't. With --tenant, it
    starts what all tenants share and this tenant's services.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.resume import ResumeOptions, resume

    carry_out(resume, ResumeOptions(**chosen_steps(given)), given, watched=True)
