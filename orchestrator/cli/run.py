"""`orchestrate run`: the steps only, on a stack that Terraform has applied."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, steps_options

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@steps_options
def run(contract: str | None, **given: Any) -> None:
    """Bring an applied stack to life: databases, DNS, redeploys, and the wait until its sites answer.

    The contract comes from --contract, else from ORCHESTRATE_CONTRACT, else from `terraform output` in --chdir.
    """
    from orchestrator.cli.conduct import conduct
    from orchestrator.errors import Outcome

    def work(conductor: Conductor) -> Outcome:
        if conductor.nested:
            conductor.text("orchestrate apply is at work around this: it runs the steps itself when terraform is done")
            return Outcome.SUCCEEDED
        with conductor.exclusive():
            return bring_to_life(conductor, contract)

    conduct("run", Options.of(given), work, recorded=True)


def bring_to_life(
    conductor: Conductor, contract: str | None = None, kind: Callable[..., Operation] | None = None
) -> Outcome:
    """Read the contract, verify, run the steps (those of another kind of operation, if one is given)."""
    from orchestrator import app

    stack = app.contract_from(contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn)
    operation = conductor.undertake(kind or app.Operation, stack)
    operation.verify()
    report = operation.run(conductor.emit, conductor.change)
    if report.needs_a_doctor and not conductor.clock.interrupted:
        from orchestrator.cli.doctor import examine

        examine(conductor, operation)
    return report.outcome
