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
    """Show running tasks and those that stopped within the last hour or so: stop code, reason, exit status.

    After the reason of a failed task comes its cause, as far as the task itself tells it; `doctor` also reads its log.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.tasks import TasksOptions, tasks

    carry_out(tasks, TasksOptions(**chosen_steps(given)), given)
