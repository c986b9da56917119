"""`orchestrate plan`: what apply would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, format_option, steps_options, terraform_options

if TYPE_CHECKING:
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@format_option
@terraform_options
@steps_options
def plan(**given: Any) -> None:
    """Show Terraform's plan, what it does to the people who use the sites, and what the steps would do afterwards.

    Changes nothing. Exit status 6: work to do.
    """
    from orchestrator.cli.apply import initialise, plan_options, planned, prepare, preview, require_its_account
    from orchestrator.cli.conduct import conduct
    from orchestrator.cli.leftovers import leftovers_of, tell

    def work(conductor: Conductor) -> Outcome:
        terraform = prepare(conductor)
        initialise(conductor, terraform)
        require_its_account(conductor, terraform)
        options = plan_options(given)
        with planned(conductor, terraform, options, None) as made:
            tell(conductor, leftovers_of(conductor, terraform, options, made).look())
            outcome, _ = preview(conductor, made, terraform, look=True)
            return outcome

    conduct("plan", Options.of(given), work)
