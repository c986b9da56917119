"""The smallest orchestrate.toml that makes a stack's contract definite."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import Invalid, OrchestratorError, Problem
from orchestrator.workflows.caller import Ask, Caller, Question, StackRef
from orchestrator.workflows.contract import terraform_of

if TYPE_CHECKING:
    from orchestrator.stack import inference
    from orchestrator.stack.inference import Inferred
    from orchestrator.stack.inference.mapping import Key

TRIES = 20
"""How often a question is asked again; whoever answers wrongly more often is a program."""
ROUNDS = 1000
"""An answer may raise the next question; more than this many are a circle."""


@dataclass(frozen=True, slots=True)
class InitResult:
    """A definite contract, and the file that was written for it with its text; None: none was needed."""

    inferred: Inferred
    file: Path | None = None
    text: str = ""


def init(
    stack: StackRef, answers: Sequence[str] = (), answers_file: Path | None = None, *, caller: Caller | None = None
) -> InitResult:
    """Understand an existing stack, and write the answers that its state leaves open into orchestrate.toml.

    `answers` are KEY=VALUE, `answers_file` a JSON object of them; what they leave open is asked, and asked again where
    the answer can't be. A person's answers are kept in the file whatever happens next. Raises `Invalid` with all that
    nobody answers, and with each answer that can't be. Never writes a secret.
    """
    from orchestrator import app, settings
    from orchestrator.stack.inference.answers import given, merged

    caller, directory = caller or Caller(), stack.directory
    said = {**(answered_in(answers_file) if answers_file else {}), **given(answers)}
    look = app.looker(terraform_of(stack, caller))
    before = settings.contract_table(directory)
    inferred = app.required(look(before), directory)
    if app.is_said(inferred):
        return InitResult(inferred)
    table = merged(before, _literal(inferred, said))
    asking = _Asking(lambda said: app.required(look(said), directory), directory, caller, table)
    try:
        asking.settle(said)
        asking.offer_dns()
    except BaseException:  # also Ctrl-C: what a person has answered is kept
        asking.keep()
        raise
    return asking.written()


def answered_in(file: Path) -> dict[Key, Any]:
    """The answers of a file: `{"tenants": {"web": {"hostname": "a.example.com"}}, "runner": "aws_instance.jump"}`.

    As the table `[contract]` of orchestrate.toml would say them, in JSON. Raises `Invalid`.
    """
    from orchestrator.stack.inference.mapping import leaves

    fix = 'write a JSON object shaped like [contract] in orchestrate.toml: {"runner": "aws_instance.jump"}'
    try:
        said = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise Invalid(Problem("answers-unreadable", " ".join(str(error).split()), str(file), fix)) from None
    if not isinstance(said, Mapping):
        raise Invalid(Problem("answers-unreadable", "it is not a JSON object", str(file), fix))
    return dict(leaves(said))


def _literal(inferred: Inferred, said: Mapping[Key, Any]) -> dict[Key, Any]:
    """The answers to what was not asked, or will be asked once the first questions are answered."""
    from orchestrator.stack.inference.answers import unasked

    asked = {question.key for question in inferred.questions}
    return {key: unasked(key, answer) for key, answer in said.items() if key not in asked}


@dataclass
class _Asking:
    """One stack's questions. `table` is `[contract]` as answered so far, `persons` the keys that a person was asked."""

    look: Callable[[Mapping[str, Any]], Inferred]
    directory: Path
    caller: Caller
    table: dict[str, Any]
    persons: list[Key] = field(default_factory=list)

    @property
    def _ask(self) -> Ask:
        return self.caller.ask

    def settle(self, said: Mapping[Key, Any]) -> None:
        """Until nothing is open. Raises `Invalid` with those questions that nobody answers, or with what can't be."""
        from orchestrator.stack.inference.infer import as_problem

        for _ in range(ROUNDS):
            inferred = self.look(self.table)
            if self._given(inferred, said):
                continue
            question = next(iter((*inferred.cures, *(() if inferred.problems else inferred.questions))), None)
            if question is None:
                inferred.require()
                self._require_providers(inferred)
                return
            if not self._answered(inferred, question):
                raise Invalid(*inferred.problems, *map(as_problem, inferred.questions))
        raise Invalid(*map(as_problem, self.look(self.table).questions))

    def _given(self, inferred: Inferred, said: Mapping[Key, Any]) -> bool:
        """Take over what was answered in advance; whether anything was."""
        from orchestrator.stack.inference.answers import answered, merged

        known = {one.key: answered(one, said[one.key]) for one in inferred.questions if one.key in said}
        before, self.table = self.table, merged(self.table, known)
        return self.table != before

    def _answered(self, inferred: Inferred, question: inference.OpenQuestion) -> bool:
        """Ask a person until the answer can be; False: there is nobody to ask. Raises `Invalid` after `TRIES`."""
        from orchestrator.stack.inference.answers import answered, merged
        from orchestrator.stack.inference.mapping import dotted

        options = [f"  {number}  {option.label}" for number, option in enumerate(question.options, start=1)]
        text = "\n".join((f"{dotted(question.key)}: {question.asks}", *options))
        wrong: tuple[Problem, ...] = ()
        for _ in range(TRIES):
            answer = self._ask(Question(prompt="  Number or value" if options else "  Value", text=text))
            if answer is None:
                return False
            table = merged(self.table, {question.key: answered(question, answer)})
            wrong = _wrong(inferred, self.look(table), question)
            if not wrong:
                self.table = table
                self.persons.append(question.key)
                return True
            text = "\n".join(f"That can't be right: {one.message} ({one.fix})" for one in wrong)
        raise Invalid(*wrong)

    def _require_providers(self, inferred: Inferred) -> None:
        """Raises `Invalid` for a DNS provider that isn't installed: the first run would."""
        from orchestrator import dns

        known = inferred.require()
        every = (known.dns, *(tenant.dns for tenant in known.tenants.values()))
        for provider in dict.fromkeys(one.provider for one in every if one):
            dns.require(provider)

    def offer_dns(self) -> None:
        """Provider and zone, if a person wants their records to be looked after; each is asked until it can be."""
        from orchestrator import dns
        from orchestrator.stack.inference.answers import merged

        inferred = self.look(self.table)
        if not inferred.offers:
            return
        (offer, *_) = inferred.offers
        text = f"{offer.asks} route53, porkbun, lexicon:NAME; or nothing, to leave them alone"
        for _ in range(TRIES):
            provider = self._ask(Question(prompt="  Provider", text=text, optional=True))
            zone = self._ask(Question(prompt="  Zone")) if provider else None
            if not provider or not zone:
                return
            table = merged(self.table, {offer.key: {"provider": provider, "zone": zone}})
            try:
                dns.require(provider)
                self.look(table).require()
            except OrchestratorError as error:
                text = "\n".join(f"That can't be right: {one.message} ({one.fix})" for one in error.problems)
                continue
            self.table = table
            self.persons.append(offer.key)
            return

    def keep(self) -> None:
        """What a person has answered stays answered, whatever stopped the rest."""
        if self.persons:
            file, _ = self._write(self.table)
            if self.caller.text:
                self.caller.text(f"{len(self.persons)} answers are kept in {file}: init continues from there.")

    def written(self) -> InitResult:
        """The file with all answers, and the stack's name."""
        inferred = self.look(self.table)
        file, text = self._write({"stack": inferred.require().stack, **self.table})
        return InitResult(inferred, file, text)

    def _write(self, table: Mapping[str, Any]) -> tuple[Path, str]:
        from orchestrator.app import mapping_file

        text = mapping_file.text_with(self.directory, table)
        return mapping_file.write(self.directory, text), text


def _wrong(before: Inferred, after: Inferred, question: inference.OpenQuestion) -> tuple[Problem, ...]:
    """Why the answer can't be: what it says, or what follows from it, or that the same is open as before."""
    from orchestrator.stack.inference.infer import as_problem

    known = {(one.code, one.context) for one in before.problems}
    new = tuple(one for one in after.problems if (one.code, one.context) not in known)
    return new or tuple(as_problem(one) for one in after.questions if one == question)
