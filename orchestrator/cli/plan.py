"""`orchestrate plan`: what apply would do."""

from __future__ import annotations

from typing import Any

from orchestrator.cli.options import chosen_steps, format_option, plan_options, steps_options, terraform_options
from orchestrator.cli.shape import command, option


@command()
@option(
    "--import-blocks",
    metavar="FILE",
    section="Terraform",
    help="Write import blocks to FILE (`imports.tf`) for resources that belong to this stack but are missing from the "
    "state, and plan with them.",
)
@format_option
@terraform_options
@steps_options
def plan(*, import_blocks: str | None, **given: Any) -> None:
    """Show Terraform's plan, what it does to the people who use the sites, and what the steps would do afterwards.

    Changes nothing; with --import-blocks, only that file of the stack's directory. Exit status 6: work to do.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.plan import PlanningOptions, plan

    options = PlanningOptions(**chosen_steps(given), terraform=plan_options(given), import_blocks=import_blocks)
    carry_out(plan, options, given)
