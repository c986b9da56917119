"""Passwords that no secret store holds reach the runner in a SecureString that lives as long as one command.

A command's text is readable in SSM's history, so it names the parameter; AmazonSSMManagedInstanceCore lets the instance
read it. A run that died leaves its parameter behind: the next run, which holds the stack's lock, deletes it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

ROOM = 4_000
"""Characters a parameter of the standard tier holds (4,096), less some air."""
LONGEST_LOOK = timedelta(minutes=15)
"""A command that only looks holds no lock; its parameter is older than this only if it died."""
DESCRIPTION = "orchestrate: passwords for the command that runs now; deleted when it ends, safe to delete"

Reference = tuple[str, str]
"""A secret's ARN or a parameter's name, and the key in its JSON object (empty: the whole value)."""


class StoresParameters(Protocol):
    """Where SecureStrings are kept (`aws.parameters.Parameters`)."""

    def put(self, name: str, value: str, description: str) -> None:
        """Make one."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Delete them."""
        ...

    def below(self, path: str) -> Mapping[str, datetime]:
        """The names under a path, and when each was written."""
        ...


class PasswordLender:
    """Lends passwords under `/orchestrate/STACK`. `token` tells this process from others, `now` is UTC."""

    def __init__(self, store: StoresParameters, stack: str, token: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._path = path_of(stack)
        self._token = token
        self._now = now
        self._kind = "look"
        self._numbers = itertools.count(1)
        self._left: set[str] = set()
        """Whose deletion failed."""

    def begin_run(self) -> None:
        """From now on this process is the stack's only run: what other runs left is nobody's, and deleted."""
        self._kind = "run"
        old = self._now() - LONGEST_LOOK
        written = self._store.below(self._path)
        dead = [name for name, at in written.items() if name.startswith(f"{self._path}/run-") or at < old]
        if dead:
            self._store.delete(sorted(dead))

    @contextmanager
    def lent(self, passwords: Mapping[str, SecretStr]) -> Iterator[Mapping[str, Reference]]:
        """Where each password can be read while the context lasts."""
        if not passwords:
            yield {}
            return
        texts = [one.get_secret_value() for one in passwords.values()]
        place = {text: (number, str(key)) for number, some in enumerate(packed(texts)) for key, text in some.items()}
        base = f"{self._path}/{self._kind}-{self._token}-{next(self._numbers)}"
        names = [f"{base}/{number}" for number in sorted({number for number, _ in place.values()})]
        try:
            for number, some in enumerate(packed(texts)):
                self._store.put(names[number], json.dumps(some), DESCRIPTION)
            yield {
                who: (names[place[one.get_secret_value()][0]], place[one.get_secret_value()][1])
                for who, one in passwords.items()
            }
        finally:
            self._withdraw(names)

    def _withdraw(self, names: Sequence[str]) -> None:
        """Delete these, and those whose deletion failed before; what another thread has lent stays."""
        self._left |= set(names)
        gone = {*names, *self._left}
        self._store.delete(sorted(gone))
        self._left -= gone


def path_of(stack: str) -> str:
    """Where a stack's passwords are lent."""
    return "/orchestrate/" + re.sub(r"[^A-Za-z0-9_.-]", "-", stack)


def packed(texts: Sequence[str]) -> list[dict[str, str]]:
    """Different texts, numbered, in as few JSON objects as parameters can hold."""
    groups: list[dict[str, str]] = [{}]
    for number, text in enumerate(dict.fromkeys(texts)):
        if groups[-1] and len(json.dumps({**groups[-1], str(number): text})) > ROOM:
            groups.append({})
        groups[-1][str(number)] = text
    return groups
