"""`orchestrate tasks`: the tasks that run, and those that stopped of late."""

from __future__ import annotations

from typing import Any

from orchestrator.cli.options import (
    chosen_steps,
    contract_option,
    output_option,
    run_options,
    settings_options,
    tenant_option,
)
from orchestrator.cli.shape import command


@command()
@output_option
@contract_option
@tenant_option
@run_options
@settings_options
def tasks(**given: Any) -> None:
    """Show the tasks that run and those that stopped within about an hour: stop code, reason, each container's exit.

    Behind the reason of a task that failed stands its cause, as far as the task itself tells it; `doctor` reads its log
    too.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.tasks import TasksOptions, tasks

    carry_out(tasks, TasksOptions(**chosen_steps(given)), given, title="tasks")
