"""`orchestrate history`: what was run here, and what it did."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import place_options

if TYPE_CHECKING:
    from orchestrator.engine.journal import Record


@click.command()
@click.argument("run", required=False)
@click.option("--journal-dir", help="Folder for the records of runs, instead of .orchestrate/runs.")
@place_options
def history(run: str | None, journal_dir: str | None, directory: Path, *, as_json: bool) -> None:
    """List the runs recorded here, the newest first; with RUN (or the beginning of its id, or `last`), its timeline."""
    from orchestrator.engine.journal import FOLDER, records
    from orchestrator.render import history as shown
    from orchestrator.settings import Settings

    settings = Settings({"journal_dir": journal_dir}, os.environ, directory)
    folder = settings["journal-dir"] or directory / FOLDER
    found = records(folder)
    if run:
        record = _one(found, run, folder)
        if as_json:
            _lines(record.lines)
        else:
            shown.timeline(record, sys.stdout)
    elif as_json:
        _lines(map(shown.as_json, found))
    elif found:
        shown.table(found, sys.stdout)
    else:
        click.echo(f"no runs are recorded in {folder}")


def _one(found: list[Record], run: str, folder: Path) -> Record:
    from orchestrator.errors import Invalid, Problem

    matching = found[:1] if run == "last" else [record for record in found if record.run.startswith(run)]
    if len(matching) != 1:
        message = f"{len(matching)} runs begin with {run!r}" if matching else f"there is no run {run!r}"
        raise Invalid(Problem("run-unknown", message, str(folder), "`orchestrate history` lists them"))
    return matching[0]


def _lines(values: Iterable[object]) -> None:
    for value in values:
        click.echo(json.dumps(value))
