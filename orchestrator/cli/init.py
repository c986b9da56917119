"""`orchestrate init`: the smallest orchestrate.toml that makes a stack's contract definite."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import place_options
from orchestrator.cli.shape import command

if TYPE_CHECKING:
    from orchestrator.workflows.caller import Question
    from orchestrator.workflows.init import InitResult


@command()
@click.option("--set", "answers", multiple=True, metavar="KEY=VALUE", help="Answer a question (repeatable).")
@click.option(
    "--answers",
    "answers_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Answers as a JSON object, shaped like [contract]; --set takes precedence.",
)
@place_options
def init(answers: tuple[str, ...], answers_file: Path | None, directory: Path, *, as_json: bool) -> None:
    """Read an existing stack, and write to orchestrate.toml what its state leaves open.

    Reads Terraform's outputs and state. If something is ambiguous, it asks; without a terminal it lists the questions
    with exit status 2, and --set or --answers answers them. It asks again after an answer that can't be right, or
    lists all such answers at once. It never writes a secret.
    """
    from orchestrator.cli.edge import stack_of
    from orchestrator.workflows.caller import Caller
    from orchestrator.workflows.init import init

    caller = Caller(ask=_asked, text=lambda text: click.echo(f"\n{text}", err=True))
    _say(init(stack_of({"directory": directory}), answers, answers_file, caller=caller), as_json=as_json)


def _say(understood: InitResult, *, as_json: bool) -> None:
    """The contract, and the file that was written, if one was needed."""
    from orchestrator.cli.renderers import colours
    from orchestrator.render.contract import table
    from orchestrator.workflows.contract import as_document

    inferred, file, text = understood.inferred, understood.file, understood.text
    if as_json:
        said = {"file": file and str(file), "text": text, "contract": as_document(inferred)}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    table(inferred, sys.stdout, here=str(Path.cwd()), colours=colours(sys.stdout))
    if file is None:
        click.echo("\nThe `orchestrator` output says everything: no orchestrate.toml is needed.")
    else:
        click.echo(f"\nWritten to {file}:\n\n{text}")


def _asked(question: Question) -> str | None:
    """A person's answer; None: there is no terminal to ask on."""
    from orchestrator.cli.contract import asked

    if question.code:
        return asked(question)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    if question.text:
        click.echo(f"\n{question.text}")
    default = "" if question.optional else None
    return str(click.prompt(question.prompt, type=str, default=default, show_default=False)).strip()
