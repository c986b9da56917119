"""What the attempts of one observation have read: a stopped one is continued there; and what steps share.

What an observation's own attempts keep is for who reads to say (`aws.looks`): no longer than `FRESH`. A look that is
whole, or failed for another reason than `Transient`, leaves nothing of that: the next asks anew.

What several steps ask about (services, target health) is read once for all of them (`Recent`): a look may use an answer
that another step was given less than `SHARED` ago, never one that an earlier look of its own step could have used, and
none from before a change that this command made.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Any, TypeVar

from orchestrator.errors import Transient

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

FRESH = 60.0
"""Seconds after which an answer is read again, even within one observation."""
SHARED = 10.0
"""Seconds for which an answer that one step was given will do for another: steps follow each other faster than that."""
LOOKING: ContextVar[Look | None] = ContextVar("look", default=None)
"""The look that this thread is at."""


class Look:
    """What the tries of one step's look have read. `monotonic` counts seconds.

    `since`: what was read before is no news to the next look: its step has looked since. What others were told is used
    for so many seconds as `shared` says.
    """

    def __init__(self, monotonic: Callable[[], float], since: float = -inf, shared: float = SHARED) -> None:
        self.monotonic = monotonic
        self._since = since
        self._shared = shared
        self._kept: dict[object, tuple[float, Any]] = {}

    @contextmanager
    def tried(self) -> Iterator[None]:
        """One try. After `Transient` the next one goes on with what was read; else that is forgotten."""
        before = LOOKING.set(self)
        goes_on = False
        try:
            yield
        except Transient:
            goes_on = True
            raise
        finally:
            LOOKING.reset(before)
            if not goes_on:
                self._kept.clear()
                self._since = self.monotonic()

    def known(self, request: object) -> Any | None:
        """The answer that an earlier try of this look was given."""
        at, answer = self._kept.get(request, (0.0, None))
        return copy.deepcopy(answer) if answer is not None and self.monotonic() - at <= FRESH else None

    def keep(self, request: object, answer: Any) -> None:
        """As it is told to the caller, who may change it."""
        self._kept.setdefault(request, (self.monotonic(), copy.deepcopy(answer)))

    def may_use(self, read_at: float) -> bool:
        """Whether an answer that was asked for then will do: it is young, and news to this step."""
        return self._since < read_at and self.monotonic() - read_at <= self._shared


class Recent:
    """Answers of one service of AWS, by what was asked for. Outside of a look nothing is shared. Thread-safe.

    Who asks for what another is asking for just now waits for that answer.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Any]] = {}
        self._changes = 0
        self._guard = threading.Lock()
        self._asking: dict[Hashable, threading.Lock] = {}

    def forget(self) -> None:
        """Something of the service was, or is being, changed: nothing that was read before is to be told."""
        with self._guard:
            self._changes += 1
            self._known.clear()

    def one(self, key: Hashable, read: Callable[[], V]) -> V:
        """The answer for this key."""
        look = LOOKING.get()
        if look is None:
            return read()
        with self._lock_of(key):
            known: Mapping[Hashable, V] = self._usable(look, [key])
            if key in known:
                return known[key]
            began, changes = look.monotonic(), self._changes
            value = read()
            self._keep({key: value}, began, changes)
            return value

    def many(self, what: str, keys: Collection[K], read: Callable[[Sequence[K]], Mapping[K, V]]) -> Mapping[K, V]:
        """By key, what there is: `read` is asked for those whose answer isn't known, all at once."""
        look = LOOKING.get()
        if look is None:
            return read(list(keys))
        with self._lock_of(what):
            known: Mapping[K, V] = self._usable(look, keys)
            rest = [key for key in keys if key not in known]
            began, changes = look.monotonic(), self._changes
            found = read(rest) if rest else {}
            self._keep(found, began, changes)
        return {key: known[key] if key in known else found[key] for key in keys if key in known or key in found}

    def _lock_of(self, key: Hashable) -> threading.Lock:
        with self._guard:
            return self._asking.setdefault(key, threading.Lock())

    def _usable(self, look: Look, keys: Collection[K]) -> dict[K, Any]:
        with self._guard:
            found = {key: self._known[key] for key in keys if key in self._known}
        return {key: value for key, (at, value) in found.items() if look.may_use(at)}

    def _keep(self, found: Mapping[Any, Any], began: float, changes: int) -> None:
        with self._guard:
            if changes == self._changes:
                self._known |= {key: (began, value) for key, value in found.items()}


def survey(monotonic: Callable[[], float]) -> Callable[[], Look]:
    """Of several looks that are one look at the world: each uses what any of them has read, for `FRESH` seconds."""
    began = monotonic()
    return lambda: Look(monotonic, began, FRESH)
