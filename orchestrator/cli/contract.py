"""`orchestrate contract`: what we know of a stack, and where each value came from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import contract_option, output_option, place_options
from orchestrator.cli.shape import command

if TYPE_CHECKING:
    from orchestrator.workflows.caller import Question


@command()
@contract_option
@output_option
@place_options
def contract(contract: str | None, directory: Path, *, as_json: bool, output: str) -> None:
    """Show the contract, and where each value came from.

    Values come from the `orchestrator` output, or else from [contract] in orchestrate.toml, or else from Terraform's
    state. Exit status 2 means that something is missing or ambiguous. --json prints one object: the contract's keys
    and `provenance`, or `questions` and `problems` if the contract is incomplete. Passwords are never shown.
    """
    from orchestrator.cli.edge import stack_of
    from orchestrator.cli.renderers import colours
    from orchestrator.render.contract import as_list, table
    from orchestrator.render.document import write
    from orchestrator.workflows.caller import Caller
    from orchestrator.workflows.contract import as_document
    from orchestrator.workflows.contract import contract as known

    inferred = known(stack_of({"directory": directory, "contract": contract}), caller=Caller(ask=asked))
    if output != "table":
        write(as_list(inferred, as_document(inferred)), sys.stdout, output)
        sys.exit(0 if inferred.stack is not None else 2)
    if as_json:
        click.echo(json.dumps(as_document(inferred), indent=2, ensure_ascii=False))
        sys.exit(0 if inferred.stack is not None else 2)
    table(inferred, sys.stdout, here=str(Path.cwd()), colours=colours(sys.stdout))
    inferred.require()


def asked(question: Question) -> str | None:
    """A person's answer, beside what is printed; None: there is no terminal to ask on."""
    return str(click.prompt(question.prompt.strip(" :"), err=True)) if sys.stdin.isatty() else None
