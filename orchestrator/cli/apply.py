"""`orchestrate apply`: Terraform, then the steps."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.options import care_options, chosen_steps, plan_options, steps_options, terraform_options
from orchestrator.cli.shape import command


@command()
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")
@click.option(
    "--import-existing",
    is_flag=True,
    help="Also import resources that belong to this stack but are missing from the state.",
)
@click.option(
    "--allow-loss",
    multiple=True,
    metavar="NAME[@CHECKSUM]",
    help="Accept this loss or outage (repeatable); with a checksum, for that plan only.",
)
@click.option("--preflight/--no-preflight", default=True, help="Run the checklist first; blockers stop the apply.")
@terraform_options
@care_options
@steps_options
def apply(
    planfile: str | None,
    auto_approve: bool,
    allow_loss: tuple[str, ...],
    *,
    import_existing: bool,
    preflight: bool,
    **given: Any,
) -> None:
    """Apply Terraform, then bring the stack to life.

    Shows the plan, what it does to the people who use the sites, and what the steps would do afterwards. Then it asks;
    the answer is bound to exactly that plan. With a PLANFILE, that plan is applied without asking. A plan that loses
    data or takes every site down is refused unless --allow-loss names each loss. A plan that fails the checklist of
    `orchestrate preflight` is refused too.

    It also repairs what an interrupted apply left: an object whose creation was interrupted is kept if it
    has become available, and one that exists but is missing from the state is imported.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.apply import ApplyOptions, apply

    options = ApplyOptions(
        **chosen_steps(given),
        planfile=planfile,
        approved=auto_approve,
        allow_loss=allow_loss,
        import_existing=import_existing,
        preflight=preflight,
        terraform=plan_options(given),
    )
    carry_out(apply, options, given, watched=True)
