"""What the tries of one look have read: a try that was stopped is followed by one that goes on from there.

What is kept is for who reads to say (`aws.looks`): no longer than `FRESH`. A look that is whole, or failed for another
reason than `Transient`, leaves nothing: the next asks anew.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from orchestrator.errors import Transient

FRESH = 60.0
"""Seconds after which an answer is asked for again, even within a look."""
LOOKING: ContextVar[Look | None] = ContextVar("look", default=None)
"""The look that this thread is at."""


class Look:
    """What the tries of one step's look have read. `monotonic` counts seconds. Of one thread: others keep nothing."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
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

    def known(self, request: object) -> Any | None:
        """The answer that an earlier try of this look was given."""
        at, answer = self._kept.get(request, (0.0, None))
        return copy.deepcopy(answer) if answer is not None and self._monotonic() - at <= FRESH else None

    def keep(self, request: object, answer: Any) -> None:
        """As it is told to the caller, who may change it."""
        self._kept.setdefault(request, (self._monotonic(), copy.deepcopy(answer)))
