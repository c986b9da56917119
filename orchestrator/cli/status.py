"""`orchestrate status`: what each step observes now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, steps_options

if TYPE_CHECKING:
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@steps_options
def status(contract: str | None, **given: Any) -> None:
    """Show what each step observes now, changing nothing. Exit status 6 when there is work to do.

    Of a stack that is paused, since when and by whom, and whether it stayed so: 6 when its database server runs again.
    """
    from orchestrator.cli.conduct import conduct, show_survey
    from orchestrator.cli.paused import show_paused

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import app

        stack = app.contract_from(
            contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn
        )
        operation = conductor.operation_on(stack)
        operation.aws.require_account(operation.stack.account_id)
        paused = show_paused(conductor, operation)
        return show_survey(conductor, operation.survey()) if paused is None else paused

    conduct("status", Options.of(given), work)
