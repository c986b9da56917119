"""`orchestrate history`: what was run here, and what it did."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from orchestrator.cli.options import output_option, place_options
from orchestrator.cli.shape import command


@command()
@click.argument("run", required=False)
@click.option("--journal-dir", help="Folder for run records, instead of .orchestrate/runs.")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write RUN as one self-contained HTML page (-: standard output).",
)
@click.option("--open", "opened", is_flag=True, help="Open RUN's page in the browser.")
@output_option
@place_options
def history(
    run: str | None,
    journal_dir: str | None,
    directory: Path,
    *,
    page: Path | None,
    opened: bool,
    as_json: bool,
    output: str,
) -> None:
    """List the runs recorded here, newest first; with RUN (an id, the start of one, or `last`), its timeline."""
    from orchestrator.cli.edge import stack_of
    from orchestrator.cli.renderers import colours
    from orchestrator.render import history as shown
    from orchestrator.render import report
    from orchestrator.render.document import document, write
    from orchestrator.workflows.history import folder_of, history, run_of

    stack = stack_of({"directory": directory, "journal_dir": journal_dir})
    if (page or opened) and not run:
        raise click.UsageError("name the RUN: its id, the start of its id, or `last`")
    if run:
        record = run_of(stack, run)
        if page or opened:
            _page(report.page(report.of(record)), record.run, page, opened=opened)
        elif output != "table":
            write(document("events", record.lines), sys.stdout, output)
        elif as_json:
            _lines(record.lines)
        else:
            shown.timeline(record, sys.stdout, colours=colours(sys.stdout))
        return
    found = history(stack)
    if output != "table":
        write(document("history", map(shown.as_json, found)), sys.stdout, output)
    elif as_json:
        _lines(map(shown.as_json, found))
    elif found:
        shown.table(found, sys.stdout, colours=colours(sys.stdout))
    else:
        click.echo(f"no runs are recorded in {folder_of(stack)}")


def _page(text: str, run: str, file: Path | None, *, opened: bool) -> None:
    """To the file, else to one beside the user's temporary files; then into the browser, if that is asked."""
    if file == Path("-"):
        click.echo(text)
        return
    file = file or Path(tempfile.mkdtemp(prefix="orchestrate-")) / f"{run}.html"
    file.write_text(text, encoding="utf-8")
    click.echo(f"written: {file}")
    if opened:
        click.launch(file.absolute().as_uri())


def _lines(values: Iterable[object]) -> None:
    for value in values:
        click.echo(json.dumps(value))
