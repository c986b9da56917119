"""`orchestrate preflight`: the checklists, before it hurts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator.cli.options import format_option, plan_options, run_options, settings_options, terraform_options
from orchestrator.cli.shape import command


@command()
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--destroy", is_flag=True, help="Use the checklist for a destroy instead of those for an apply.")
@click.option("--live/--no-live", default=True, help="Also inspect the running stack, if there is one.")
@format_option
@terraform_options
@run_options
@settings_options
def preflight(planfile: Path | None, destroy: bool, live: bool, **given: Any) -> None:
    """Check the plan and the running stack against the guide's checklists and what they miss.

    Changes nothing. What a plan can't tell yet is "not known until applied", never passed; what only a person can
    check is `manual`. PLANFILE is a plan, or the output of `terraform show -json` for a plan or a state (then nothing
    else is read). Exit status 3 means that a blocker was found.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.preflight import PreflightOptions, preflight

    everything = given["format_"] == "markdown"
    options = PreflightOptions(
        planfile=planfile, destroy=destroy, live=live, everything=everything, terraform=plan_options(given)
    )
    carry_out(preflight, options, given)
