"""`orchestrate run`: the steps only, on a stack that Terraform has applied."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import care_options, chosen_steps, contract_option, steps_options
from orchestrator.cli.shape import command


@command()
@contract_option
@click.option("--failed", is_flag=True, help="Only the tenants that failed in the last run, or that it didn't start.")
@care_options
@steps_options
def run(*, failed: bool, **given: Any) -> None:
    """Bring a stack that Terraform has applied to life: databases, DNS, redeploys, and waiting until its sites answer.

    With --max-parallel, --canary or --stop-after-failures, it rolls out in waves of tenants: those that need nothing
    come last, and a tenant that fails never holds up the others of its wave. At the end, the tenants that failed and
    those that were not started are listed.

    The contract comes from --contract, or else from ORCHESTRATE_CONTRACT, or else from `terraform output` in --chdir.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.run import RunOptions, run

    carry_out(run, RunOptions(**chosen_steps(given), failed=failed), given, watched=True)
