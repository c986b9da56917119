"""The smallest orchestrate.toml that makes a stack's contract definite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import Invalid
from orchestrator.workflows.caller import Ask, Caller, Question, StackRef
from orchestrator.workflows.contract import terraform_of

if TYPE_CHECKING:
    from orchestrator.stack import inference
    from orchestrator.stack.inference import Inferred
    from orchestrator.stack.inference.mapping import Key

ROUNDS = 20
"""An answer may raise the next question; more than this many rounds are a circle."""


@dataclass(frozen=True, slots=True)
class InitResult:
    """A definite contract, and the file that was written for it with its text; None: none was needed."""

    inferred: Inferred
    file: Path | None = None
    text: str = ""


def init(stack: StackRef, answers: Sequence[str] = (), *, caller: Caller | None = None) -> InitResult:
    """Understand an existing stack, and write the answers that its state leaves open into orchestrate.toml.

    `answers` are KEY=VALUE; what they leave open is asked. Raises `Invalid` with the questions that nobody answers.
    Never writes a secret.
    """
    from orchestrator import app, settings
    from orchestrator.app import mapping_file
    from orchestrator.stack.inference.answers import given, merged

    said, directory = given(answers), stack.directory
    ask = (caller or Caller()).ask
    terraform = terraform_of(stack, caller)
    before = settings.contract_table(directory)
    look = app.looker(terraform)
    inferred = app.required(look(before), directory)
    if app.is_said(inferred):
        return InitResult(inferred)
    table = _answered(look, merged(before, _literal(inferred, said)), said, ask)
    inferred = app.required(look(table), directory)
    known = inferred.require()
    if inferred.offers and (place := _place_of_dns(inferred.offers[0], ask)):
        table = merged(table, place)
        inferred = app.required(look(table), directory)
        known = inferred.require()
    table = {"stack": known.stack, **table}
    text = mapping_file.text_with(directory, table)
    return InitResult(inferred, mapping_file.write(directory, text), text)


def _literal(inferred: Inferred, said: Mapping[Key, Any]) -> dict[Key, Any]:
    """The answers to what was not asked, or will be asked once the first questions are answered."""
    from orchestrator.stack.inference.answers import unasked

    asked = {question.key for question in inferred.questions}
    return {key: unasked(key, answer) for key, answer in said.items() if key not in asked}


def _answered(look: Any, table: dict[str, Any], said: Mapping[Key, Any], ask: Ask) -> dict[str, Any]:
    """The table once every question is answered. Raises `Invalid` with those that nobody can answer."""
    from orchestrator.stack.inference.answers import matched, merged
    from orchestrator.stack.inference.infer import as_problem

    for _ in range(ROUNDS):
        inferred = look(table)
        if not inferred.questions or inferred.problems:
            return table
        answers = [(one.key, matched(one, said[one.key])) for one in inferred.questions if one.key in said]
        answers = answers or _asked(inferred.questions, ask)
        if not answers:
            raise Invalid(*map(as_problem, inferred.questions))
        for key, answer in answers:
            table = merged(table, {key: answer})
    raise Invalid(*map(as_problem, look(table).questions))


def _asked(questions: Sequence[inference.OpenQuestion], ask: Ask) -> list[tuple[Key, Any]]:
    """A person's answers, each an option's number or a value; none where nobody can be asked.

    A key may be asked about twice (which service is no tenant, of two hostnames): its answers add up.
    """
    from orchestrator.stack.inference.answers import matched
    from orchestrator.stack.inference.mapping import dotted

    answers: list[tuple[Key, Any]] = []
    for one in questions:
        options = [f"  {number}  {option.label}" for number, option in enumerate(one.options, start=1)]
        text = "\n".join((f"{dotted(one.key)}: {one.asks}", *options))
        answer = ask(Question(prompt="  Number or value" if one.options else "  Value", text=text))
        if answer is None:
            return []
        answers.append((one.key, matched(one, answer)))
    return answers


def _place_of_dns(question: inference.OpenQuestion, ask: Ask) -> dict[Key, Any]:
    """Provider and zone, if a person wants their records to be looked after."""
    text = f"{question.asks} route53, porkbun, lexicon:NAME; or nothing: they are left alone"
    provider = ask(Question(prompt="  Provider", text=text, optional=True))
    zone = ask(Question(prompt="  Zone")) if provider else None
    return {question.key: {"provider": provider, "zone": zone}} if provider and zone else {}
