"""What inference says: values with their provenance, questions, remarks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from orchestrator.errors import Problem
from orchestrator.stack.inference.mapping import Key, Mapped, dotted
from orchestrator.stack.mapping_place import CONTRACT


@dataclass(frozen=True, slots=True)
class Found:
    """A value of the contract, and where it was found.

    `ADDRESS: ATTRIBUTE` of the state, `ADDRESS: VARIABLE` of a container, an output, orchestrate.toml.
    """

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question: what orchestrate.toml would say, and what a person sees."""

    answer: Any
    label: str


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What the state leaves open. Without options nothing that could be it was found.

    `fix` says what to do about it where another answer than one in orchestrate.toml is better.
    """

    key: Key
    asks: str
    options: tuple[Option, ...] = ()
    fix: str = ""

    def __str__(self) -> str:
        choice = "; ".join(option.label for option in self.options)
        return f"{self.asks} ({choice})" if choice else self.asks


@dataclass
class ContractDraft:
    """The contract as far as it is known. What the mapping says wins over what was found."""

    mapped: Mapped
    found: dict[Key, Found] = field(default_factory=dict)
    passwords: dict[Key, tuple[SecretStr, str]] = field(default_factory=dict)
    questions: list[OpenQuestion] = field(default_factory=list)
    offers: list[OpenQuestion] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def put(self, key: Key, value: Any, source: str) -> None:
        """The value was found there."""
        self.found[key] = Found(value, source)

    def put_all(self, key: Key, values: Mapping[str, tuple[Any, str]]) -> None:
        """The values of one part, each with where it was found."""
        for name, (value, source) in values.items():
            self.put((*key, name), value, source)

    def keep(self, key: Key, password: str, source: str) -> None:
        """A password that stands in clear there: for this process only."""
        self.passwords[key] = (SecretStr(password), source)

    def ask(self, key: Key, asks: str, options: Sequence[Option] = (), fix: str = "") -> None:
        """It stays open, unless the mapping says it."""
        if not self.mapped.says(key):
            self.questions.append(OpenQuestion(key, asks, tuple(options), fix))

    def offer(self, key: Key, asks: str) -> None:
        """It may stay open: a person is asked, nobody else has to answer."""
        self.offers.append(OpenQuestion(key, asks))

    def wrong(self, key: Key, code: str, message: str, fix: str) -> None:
        """The mapping says what can't be."""
        self.problems.append(Problem(code, message, f"{self.mapped.place}: {CONTRACT}.{dotted(key)}", fix))

    def remark(self, text: str) -> None:
        """Worth knowing, and nothing to decide."""
        self.remarks.append(text)


def literal(value: Any) -> Option:
    """An answer that is a value as it is."""
    return Option(value, value if isinstance(value, str) else json.dumps(value))


def at(address: str, shown: str = "", otherwise: Any = None) -> Option:
    """An answer that names a resource: it stays true when the resource is made anew.

    Of what has no resource of its own (its address names the place that told of it), the answer is `otherwise`.
    """
    label = f"{address} = {shown}" if shown else address
    return Option(otherwise if ": " in address else {"resource": address}, label)


__all__ = ["ContractDraft", "Found", "Key", "OpenQuestion", "Option", "at", "dotted", "literal"]
