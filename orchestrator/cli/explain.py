"""`orchestrate explain`: what a code means, and what to do."""

from __future__ import annotations

import json
import sys

import click

from orchestrator.cli import complete
from orchestrator.cli.shape import command


@command()
@click.argument("code", required=False, shell_complete=complete.codes)
@click.option("--list", "listing", is_flag=True, help="List every code.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line on standard output.")
def explain(code: str | None, *, listing: bool, as_json: bool) -> None:
    """Explain a CODE, the word in brackets at the end of a message: what it means, and what to do.

    The explanation comes with the program: neither a network nor a stack is needed.
    """
    from orchestrator.cli.renderers import colours
    from orchestrator.render import explanation as pages

    if not (code or listing):
        raise click.UsageError("give the code in brackets at the end of the message, or --list")
    asked = (code or "").strip("[]")
    found = pages.explanations() if listing else {asked: pages.explanation(asked)}
    for one, text in sorted(found.items()):
        if as_json:
            click.echo(json.dumps({"code": one, "text": text}))
        elif listing:
            click.echo(one)
        else:
            pages.show(one, text, sys.stdout, colours=colours(sys.stdout))
