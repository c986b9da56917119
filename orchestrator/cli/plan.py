"""`orchestrate plan`: what apply would do."""

from __future__ import annotations

from typing import Any

from orchestrator.cli.options import chosen_steps, format_option, plan_options, steps_options, terraform_options
from orchestrator.cli.shape import command


@command()
@format_option
@terraform_options
@steps_options
def plan(**given: Any) -> None:
    """Show Terraform's plan, what it does to the people who use the sites, and what the steps would do afterwards.

    Changes nothing. Exit status 6: work to do.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.plan import PlanningOptions, plan

    carry_out(plan, PlanningOptions(**chosen_steps(given), terraform=plan_options(given)), given, title="plan")
