"""Answers to questions, as the table `[contract]` that orchestrate.toml will have. Pure."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.errors import Invalid, Problem
from orchestrator.stack.inference.mapping import NOT_TENANTS, PARTS, Key
from orchestrator.stack.inference.model import OpenQuestion

_ADDRESS = re.compile(r"(module|data|aws_\w+)\.")
_USAGE = "write it as --set KEY=VALUE: --set runner=aws_instance.jump, --set dns.zone=example.com"


def given(texts: Iterable[str]) -> dict[Key, Any]:
    """`KEY=VALUE` texts as answers: keys as TOML has them, values too where they are TOML, else texts as they are.

    Raises `Invalid`, all at once.
    """
    answers: dict[Key, Any] = {}
    problems: list[Problem] = []
    for text in texts:
        name, equals, value = text.partition("=")
        keys = _key(name.strip())
        if not equals or not keys or not value.strip():
            problems.append(
                Problem("answer-malformed", f"{name.strip()!r} has no value, or is not a key", "--set", _USAGE)
            )
        else:
            answers[keys] = _value(value.strip())
    if problems:
        raise Invalid(*problems)
    return answers


def _key(text: str) -> Key:
    try:
        said: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while isinstance(said, dict) and len(said) == 1:
        ((name, said),) = said.items()
        keys.append(name)
    return tuple(keys) if said == 0 else ()


def _value(text: str) -> Any:
    if not re.match(r'["{[0-9-]|true$|false$', text):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


_VALUES = {"database": "host", "runner": "instance_id", "load_balancer": "arn", "certificate": "arn"}
"""A part that is answered by a value → which of its keys that is."""


def unasked(key: Key, said: Any) -> Any:
    """What orchestrate.toml says for an answer that was not asked for, or not yet: an address names a resource.

    A part (`database`) can't be a value: one is that of the key which tells the part from others.
    """
    if len(key) != 1 or not isinstance(said, str):
        return said
    if key[0] in PARTS and _ADDRESS.match(said):
        return {"resource": said}
    return {_VALUES[key[0]]: said} if key[0] in _VALUES else said


def matched(question: OpenQuestion, said: Any) -> Any:
    """What orchestrate.toml says for an answer: an option by its number, its resource or its value; else as it is."""
    for number, option in enumerate(question.options, start=1):
        names = {str(number), option.label, str(option.answer)}
        if isinstance(option.answer, Mapping):
            names.add(str(option.answer["resource"]))
        if str(said) in names:
            return option.answer
    return said


def answered(question: OpenQuestion, said: Any) -> Any:
    """What orchestrate.toml says for an answer: an option's, or the value in its place."""
    return unasked(question.key, matched(question, said))


def merged(table: Mapping[str, Any], answers: Mapping[Key, Any]) -> dict[str, Any]:
    """The table with the answers in it."""
    whole: dict[str, Any] = copy.deepcopy(dict(table))
    for key, answer in answers.items():
        part = whole
        for name in key[:-1]:
            below = part.get(name)
            part[name] = below if isinstance(below, dict) else {}
            part = part[name]
        before = part.get(key[-1])
        adds = key == (NOT_TENANTS,) and isinstance(before, list) and isinstance(answer, list)
        if adds and before:
            part[key[-1]] = [*before, *(it for it in answer if it not in before)]
        elif isinstance(before, dict) and isinstance(answer, dict) and "resource" not in answer:
            part[key[-1]] = {**before, **answer}
        else:
            part[key[-1]] = answer
    return whole
