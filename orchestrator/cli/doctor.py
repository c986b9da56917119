"""`orchestrate doctor`: what is wrong, why, and what to do about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, place_options, settings_options

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="Only this tenant (repeatable).")
@place_options
@settings_options
def doctor(contract: str | None, **given: Any) -> None:
    """Find what is wrong with a stack: root causes first, each with evidence and a fix. Changes nothing.

    Exit status 1 when something keeps a site from working, 0 when nothing does.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import app

        stack = app.contract_from(
            contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn
        )
        operation = conductor.operation_on(stack)
        operation.aws.require_account(stack.account_id)
        return examine(conductor, operation)

    conduct("doctor", Options.of({"only": (), "skip": (), "adopt": False, "allow_zero": False, **given}), work)


def examine(conductor: Conductor, operation: Operation) -> Outcome:
    """Look at the stack, and say what was found."""
    from orchestrator.consultation import report

    diagnosis = operation.examine()
    if not diagnosis.cases:
        paused = ", the stack is paused" if diagnosis.paused else ""
        conductor.text(f"nothing wrong found ({diagnosis.checks} checks{paused})")
    return report(diagnosis, conductor.emit)
