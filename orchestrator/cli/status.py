"""`orchestrate status`: what each step observes now, and one table of everything; with `--watch` until all is up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator.cli.options import chosen_steps, contract_option, output_option, page_option, steps_options
from orchestrator.cli.shape import command


@command()
@click.option("--watch", is_flag=True, help="Keep looking until everything is up, or Ctrl-C.")
@output_option
@page_option
@contract_option
@steps_options
def status(watch: bool, page: Path | None, **given: Any) -> None:
    """Show what each step sees now and one table of all parts, changing nothing.

    Exit status 6 means that there is work to do for `run` or `doctor --fix`; with --only or --skip, for the chosen
    steps. With --watch, the table is redrawn until everything is up (0), until Ctrl-C (130), or until --timeout has
    passed (4).

    For a paused stack, it shows since when and by whom, and whether it stayed paused: exit status 6 if its database
    server is running again.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.status import StatusOptions, status

    carry_out(status, StatusOptions(**chosen_steps(given), watch=watch, page=page), given)
