"""`orchestrate tasks`: the tasks that run, and those that stopped of late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, place_options, settings_options, tenant_option

if TYPE_CHECKING:
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@tenant_option
@place_options
@settings_options
def tasks(contract: str | None, **given: Any) -> None:
    """Show the tasks that run and those that stopped within about an hour: stop code, reason, each container's exit.

    Behind the reason of a task that failed stands its cause, as far as the task itself tells it; `doctor` reads its log
    too.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator.errors import Outcome
        from orchestrator.events import StepFailed

        operation = conductor.look_at(contract)
        found = list(operation.tasks())
        for event in found:
            conductor.emit(event)
        if not found:
            conductor.text("no task runs, and none stopped within the hour")
        return Outcome.FAILED if any(isinstance(event, StepFailed) for event in found) else Outcome.SUCCEEDED

    conduct("tasks", Options.of(given), work)
