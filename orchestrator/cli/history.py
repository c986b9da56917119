"""`orchestrate history`: what was run here, and what it did."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from orchestrator.cli.options import place_options
from orchestrator.cli.shape import command


@command()
@click.argument("run", required=False)
@click.option("--journal-dir", help="Folder for the records of runs, instead of .orchestrate/runs.")
@place_options
def history(run: str | None, journal_dir: str | None, directory: Path, *, as_json: bool) -> None:
    """List the runs recorded here, the newest first; with RUN (or the beginning of its id, or `last`), its timeline."""
    from orchestrator.cli.edge import stack_of
    from orchestrator.render import history as shown
    from orchestrator.workflows.history import folder_of, history, run_of

    stack = stack_of({"directory": directory, "journal_dir": journal_dir})
    if run:
        record = run_of(stack, run)
        if as_json:
            _lines(record.lines)
        else:
            shown.timeline(record, sys.stdout)
        return
    found = history(stack)
    if as_json:
        _lines(map(shown.as_json, found))
    elif found:
        shown.table(found, sys.stdout)
    else:
        click.echo(f"no runs are recorded in {folder_of(stack)}")


def _lines(values: Iterable[object]) -> None:
    for value in values:
        click.echo(json.dumps(value))
