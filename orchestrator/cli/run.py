"""`orchestrate run`: the steps only, on a stack that Terraform has applied."""

from __future__ import annotations

from typing import Any

from orchestrator.cli.options import chosen_steps, contract_option, steps_options
from orchestrator.cli.shape import command


@command()
@contract_option
@steps_options
def run(**given: Any) -> None:
    """Bring a stack that Terraform has applied to life: databases, DNS, redeploys, and waiting until its sites answer.

    The contract comes from --contract, or else from ORCHESTRATE_CONTRACT, or else from `terraform output` in --chdir.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.run import RunOptions, run

    carry_out(run, RunOptions(**chosen_steps(given)), given, title="run", watched=True)
