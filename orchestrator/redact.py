"""Known secret values, replaced by `***` wherever words pass through us: the one place that knows what is secret."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"
SHORTEST = 4
"""Shorter values are left alone: masking every `1` would garble the text and hide nothing."""

_SECRETIVE = re.compile(r"pass(word|wd|phrase)|secret|token|api_?key|private_?key|credential", re.IGNORECASE)
_ABOUT_A_SECRET = re.compile(r"_(arn|dir|file|id|length|name|path|ttl)$", re.IGNORECASE)
_WORDS = {"true", "false", "null"}
_SHORTEST_CREDENTIAL = 8  # stand-ins such as `test` are common words
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def sounds_secret(name: str) -> bool:
    """A name that says what it holds, for variables whose declaration can't be read."""
    return _SECRETIVE.search(name) is not None and _ABOUT_A_SECRET.search(name) is None


def from_environment(environment: Mapping[str, str]) -> Iterable[str]:
    """The credentials in an environment: the values of all variables whose name says so, AWS's and Porkbun's too."""
    for name, value in environment.items():
        if sounds_secret(name) and len(value) >= _SHORTEST_CREDENTIAL:
            yield value


def from_secret(value: str) -> Iterable[str]:
    """What must be hidden of a secret store's value: all of it, or of a JSON object what is named like a secret.

    `{"username": …, "password": …}`: the user name is the contract's, and shown.
    """
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict):
        return [leaf for key, inner in said.items() if sounds_secret(key) for leaf in strings_of(inner)]
    return [value]


def strings_of(value: Any) -> Iterable[str]:
    """The strings (and numbers, as text) in a value as JSON has it, at any depth."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for inner in value for leaf in strings_of(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def strings_in(expression: str) -> Iterable[str]:
    """The quoted strings of an HCL expression: the secret of `["a", "b"]` may be shown without its brackets."""
    return _STRING.findall(expression)


def _shapes(secret: str) -> Iterable[str]:
    """The ways a value is printed: as it is, line by line, and quoted as in JSON, HCL and Go."""
    return (secret, *secret.splitlines(), json.dumps(secret, ensure_ascii=False)[1:-1])


class Redactor:
    """Replaces secrets by `***`: whole values, each line of a value of several lines, and quoted ones.

    Called with a text, it returns the text that may be shown. May learn more while other threads use it.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._pieces: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """From now on these are hidden as well."""
        pieces = {piece for secret in secrets for piece in _shapes(secret)} - _WORDS
        with self._lock:
            self._pieces |= {piece for piece in pieces if len(piece.strip()) >= SHORTEST}
            # Longest first: a secret that contains another must not leave its rest behind.
            known = sorted(self._pieces, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, known))) if known else None

    def include(self, other: Redactor) -> None:
        """From now on what `other` hides is hidden here as well."""
        self.learn(other._pieces)

    def __call__(self, text: str) -> str:  # noqa: D102 - said by the class
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text
