"""`orchestrate doctor`: what is wrong, why, and what to do about it; with `--fix`, the safe part of it done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator.cli.options import (
    chosen_steps,
    contract_option,
    page_option,
    run_options,
    settings_options,
    tenant_option,
)
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
@click.option("--fix", is_flag=True, help="Repair what is safe to repair: show it, ask, repair it, check again.")
@click.option("-auto-approve", "--auto-approve", is_flag=True, help="With --fix: don't ask.")
@page_option
@run_options
@settings_options
def doctor(*, bundle: Path | None, page: Path | None, fix: bool, auto_approve: bool, **given: Any) -> None:
    """Find what is wrong with a stack: root causes first, each with evidence and a fix.

    Changes nothing unless --fix is given. Exit status 1: something keeps a site from working, or a check could not run
    (it says which). Exit status 0: everything was checked, and nothing keeps a site from working. --fix repairs these,
    with the steps of `run`: a missing database, its role or password; Vespa's Docker and container; services that must
    be redeployed afterwards.

    --bundle writes an archive for a colleague: findings, status, tasks, logs of the last half hour, contract and
    versions. With --fix, it shows the stack as it was before the repair.
    """
    from orchestrator.cli.edge import carry_out
    from orchestrator.workflows.doctor import DoctorOptions, doctor

    options = DoctorOptions(**chosen_steps(given), bundle=bundle, fix=fix, approved=auto_approve, page=page)
    carry_out(doctor, options, given)
