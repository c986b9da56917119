"""`orchestrate init`: the smallest orchestrate.toml that makes a stack's contract definite."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import place_options

if TYPE_CHECKING:
    from orchestrator.inference import Inferred, Question
    from orchestrator.inference.mapping import Key

ROUNDS = 20
"""An answer may raise the next question; more than this many rounds are a circle."""


@click.command()
@click.option("--set", "answers", multiple=True, metavar="KEY=VALUE", help="Answer a question (repeatable).")
@place_options
def init(answers: tuple[str, ...], directory: Path, *, as_json: bool) -> None:
    """Understand an existing stack, and write the answers that its state leaves open into orchestrate.toml.

    Reads Terraform's outputs and state. What can be two things is asked, on a terminal; elsewhere it is listed, with
    exit status 2, and --set answers it. Never writes a secret.
    """
    from orchestrator import app, settings
    from orchestrator.app import mapping_file
    from orchestrator.cli.contract import terraform_in
    from orchestrator.inference.answers import given, merged

    said = given(answers)
    terraform = terraform_in(directory)
    before = settings.contract_table(directory)
    look = app.looker(terraform)
    inferred = app.required(look(before), directory)
    if app.is_said(inferred):
        _say(inferred, None, "", as_json=as_json)
        return
    table = _answered(look, merged(before, _literal(inferred, said)), said)
    inferred = app.required(look(table), directory)
    stack = inferred.require()
    if inferred.offers and _somebody_is_there():
        table = merged(table, _place_of_dns(inferred.offers[0]))
        inferred = app.required(look(table), directory)
        stack = inferred.require()
    table = {"stack": stack.stack, **table}
    text = mapping_file.text_with(directory, table)
    file = mapping_file.write(directory, text)
    _say(inferred, file, text, as_json=as_json)


def _say(inferred: Inferred, file: Path | None, text: str, *, as_json: bool) -> None:
    """The contract, and the file that was written, if one was needed."""
    import json

    from orchestrator.cli.contract import as_document, show

    if as_json:
        said = {"file": file and str(file), "text": text, "contract": as_document(inferred)}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    show(inferred)
    if file is None:
        click.echo("\nThe output `orchestrator` says it all: no orchestrate.toml is needed.")
    else:
        click.echo(f"\nWritten to {file}:\n\n{text}")


def _literal(inferred: Inferred, said: Mapping[Key, Any]) -> dict[Key, Any]:
    """The answers to what was not asked, or will be asked once the first questions are answered."""
    from orchestrator.inference.answers import unasked

    asked = {question.key for question in inferred.questions}
    return {key: unasked(key, answer) for key, answer in said.items() if key not in asked}


def _answered(look: Any, table: dict[str, Any], said: Mapping[Key, Any]) -> dict[str, Any]:
    """The table once every question is answered. Raises `Invalid` with those that nobody can answer."""
    from orchestrator.errors import Invalid
    from orchestrator.inference.answers import matched, merged
    from orchestrator.inference.infer import as_problem

    for _ in range(ROUNDS):
        inferred = look(table)
        if not inferred.questions or inferred.problems:
            return table
        answers = {one.key: matched(one, said[one.key]) for one in inferred.questions if one.key in said}
        if not answers and _somebody_is_there():
            answers = {one.key: _ask(one) for one in inferred.questions}
        if not answers:
            raise Invalid(*map(as_problem, inferred.questions))
        table = merged(table, answers)
    raise Invalid(*map(as_problem, look(table).questions))


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _place_of_dns(question: Question) -> dict[Key, Any]:
    """Provider and zone, if a person wants their records to be looked after."""
    click.echo(f"\n{question.asks} route53, porkbun, lexicon:NAME; or nothing: they are left alone")
    provider = click.prompt("  Provider", type=str, default="", show_default=False).strip()
    if not provider:
        return {}
    return {question.key: {"provider": provider, "zone": click.prompt("  Zone", type=str).strip()}}


def _ask(question: Question) -> Any:
    """A person's answer: an option's number, or a value."""
    from orchestrator.inference.answers import matched
    from orchestrator.inference.mapping import dotted

    click.echo(f"\n{dotted(question.key)}: {question.asks}")
    for number, option in enumerate(question.options, start=1):
        click.echo(f"  {number}  {option.label}")
    return matched(question, click.prompt("  Number or value" if question.options else "  Value", type=str).strip())
