"""`orchestrate doctor`: what is wrong, why, and what to do about it; with `--fix`, the safe part of it done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator.cli.options import chosen_steps, contract_option, run_options, settings_options, tenant_option
from orchestrator.cli.shape import command


@command()
@contract_option
@tenant_option
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the evidence to a new archive (.zip, .tar.gz), with secrets hidden.",
)
@click.option("--fix", is_flag=True, help="Then repair what is safe to repair: shows it, asks, does it, checks again.")
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="With --fix: don't ask.")
@run_options
@settings_options
def doctor(*, bundle: Path | None, fix: bool, auto_approve: bool, **given: Any) -> None:
    """Find what is wrong with a stack: root causes first, each with evidence and a fix. Changes nothing by itself.

    Exit status 1 when something keeps a site from working, or when a check could not look (it says which). 0 when
    everything was checked and nothing does. --fix repairs these, by the steps that `run` makes: a missing database, its
    role or password; Vespa's docker and container; services that must be redeployed afterwards.

    With --bundle the findings, the status, tasks, logs of the last half hour, the contract and versions go into an
    archive for a colleague; with --fix as it was before.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.doctor import DoctorOptions, doctor

    options = DoctorOptions(**chosen_steps(given), bundle=bundle, fix=fix, approved=auto_approve)
    carry_out(doctor, options, given)
