"""`orchestrate contract`: what we know of a stack, and where each value came from."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import contract_option, place_options

if TYPE_CHECKING:
    from orchestrator.inference import Inferred


@click.command()
@contract_option
@place_options
def contract(contract: str | None, directory: Path, *, as_json: bool) -> None:
    """Show the contract, and where each value came from.

    Its values come from the `orchestrator` output, else from [contract] in orchestrate.toml, else from Terraform's
    state. Exit status 2 when something is missing or ambiguous. With --json: one object, the contract's keys and
    `provenance`; in its place, when it is not definite, `questions` and `problems`. Never a password.
    """
    inferred = _known(contract, directory)
    if as_json:
        click.echo(json.dumps(as_document(inferred), indent=2, ensure_ascii=False))
        sys.exit(0 if inferred.stack is not None else 2)
    show(inferred)
    inferred.require()


def _known(given: str | None, directory: Path) -> Inferred:
    from orchestrator import app

    if given or os.environ.get(app.CONTRACT_VARIABLE):
        stack = app.contract_from(given, terraform_in(directory), os.environ, sys.stdin)
        return app.of_document(stack, given or app.CONTRACT_VARIABLE)
    return app.required(app.understand(terraform_in(directory)), directory)


def terraform_in(directory: Path) -> Any:
    """Terraform there, as our own commands run it."""
    from orchestrator.aws import child
    from orchestrator.settings import Settings
    from orchestrator.terraform import Terraform

    chosen = Settings({}, os.environ, directory).all()["profile"]
    environment = child.environment_of(os.environ, chosen.value)
    if child.wants_a_person(environment):
        from orchestrator.aws.access import Access

        environment = Access(chosen.value, chosen.source, _asked).signed(environment)
    return Terraform(directory, environment)


def _asked(prompt: str) -> str:
    """A person's answer; beside what is printed. Raises `Invalid` where there is nobody."""
    from orchestrator.aws.access import nobody

    return str(click.prompt(prompt.strip(" :"), err=True)) if sys.stdin.isatty() else nobody(prompt)


def as_document(inferred: Inferred) -> dict[str, Any]:
    """What --json prints."""
    from orchestrator.contract import PROVENANCE
    from orchestrator.inference.mapping import dotted

    sources = {dotted(key): one.source for key, one in inferred.found.items()}
    if inferred.stack is not None:
        return {**inferred.stack.model_dump(mode="json", by_alias=True), PROVENANCE: sources}
    return {
        "questions": [
            {
                "key": dotted(one.key),
                "asks": one.asks,
                "options": [{"answer": option.answer, "label": option.label} for option in one.options],
            }
            for one in inferred.questions
        ],
        "problems": [
            {"code": one.code, "message": one.message, "context": one.context, "fix": one.fix}
            for one in inferred.problems
        ],
        PROVENANCE: sources,
    }


def show(inferred: Inferred) -> None:
    """A table for people, then what is worth knowing."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from orchestrator.inference.mapping import dotted

    table = Table("key", "value", "from", box=None, pad_edge=False)
    for key, one in inferred.found.items():
        value = "" if one.value is None else str(one.value)
        table.add_row(dotted(key), Text(value), Text(one.source, style="dim"))
    Console(file=sys.stdout, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 240).print(table)
    for remark in inferred.remarks:
        click.echo(f"note: {remark}")
