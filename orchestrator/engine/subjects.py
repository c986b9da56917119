"""The same work for several subjects: a failure belongs to its subject, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import Event
from typing import Generic, TypeVar

from orchestrator.errors import Expired, Interrupted, Invalid, OrchestratorError, PartlyFailed, Transient

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Subject = str
"""Whatever the work is about, by its name: a tenant, a hostname."""
ABOUT_US = (Invalid, Expired, Interrupted)
"""Errors that are no subject's: credentials, settings, a request to stop."""


@dataclass(frozen=True, slots=True)
class Attempts(Generic[T_co]):
    """What came of it: each subject is in one of the two."""

    results: Mapping[Subject, T_co] = field(default_factory=dict)
    failures: Mapping[Subject, OrchestratorError] = field(default_factory=dict)


def both(some: Attempts[T], others: Attempts[T]) -> Attempts[T]:
    """What came of either."""
    return Attempts({**some.results, **others.results}, {**some.failures, **others.failures})


def attempt(subjects: Iterable[Subject], look: Callable[[Subject], T], *, at_once: int = 1) -> Attempts[T]:
    """Look at each. What is about us and no subject (credentials, a request to stop) is raised."""
    tried = _tried(subjects, look, at_once)
    for error in tried.failures.values():
        if isinstance(error, ABOUT_US):
            raise error
    return tried


def each(subjects: Iterable[Subject], change: Callable[[Subject], object], *, at_once: int = 1) -> None:
    """Make the change of each; raises `PartlyFailed` at the end. After `Interrupted` or `Expired` no other is begun."""
    failures = _tried(subjects, change, at_once).failures
    if failures:
        raise PartlyFailed(failures)


def refusals(change: Callable[[], object]) -> Mapping[Subject, OrchestratorError]:
    """Make it; those for whom it failed, by subject, where it says so itself."""
    try:
        change()
    except PartlyFailed as error:
        return error.failures
    return {}


def together(subjects: Sequence[Subject], change: Callable[[Sequence[Subject]], object]) -> None:
    """Make the changes of all in one call; where that is refused, of each half, down to whom the refusal is about.

    For calls that are taken as a whole or not at all, so that no change is made twice. What may pass, and what is about
    us, is about all that were in the call. Raises `PartlyFailed` at the end.
    """
    failures: dict[Subject, OrchestratorError] = {}
    waiting = [list(subjects)]
    while waiting:
        some = waiting.pop(0)
        try:
            change(some)
        except (Transient, *ABOUT_US) as error:
            failures |= dict.fromkeys(some, error)
        except OrchestratorError as error:
            half = len(some) // 2
            if half:
                waiting[:0] = [some[:half], some[half:]]
            else:
                failures |= dict.fromkeys(some, error)
    if failures:
        raise PartlyFailed(failures)


def _tried(subjects: Iterable[Subject], work: Callable[[Subject], T], at_once: int) -> Attempts[T]:
    stop = Event()
    stopped: list[OrchestratorError] = []
    results: dict[Subject, T] = {}
    failures: dict[Subject, OrchestratorError] = {}

    def one(subject: Subject) -> None:
        if stop.is_set():
            failures[subject] = stopped[0]
            return
        try:
            results[subject] = work(subject)
        except (Interrupted, Expired) as error:
            stopped.append(error)
            stop.set()
            failures[subject] = error
        except OrchestratorError as error:
            failures[subject] = error

    order = list(subjects)
    if at_once == 1:
        for subject in order:
            one(subject)
    else:
        with ThreadPoolExecutor(at_once) as pool:  # each belongs to the look that it is part of
            for done in [pool.submit(copy_context().run, one, subject) for subject in order]:
                done.result()
    return Attempts(_in_order(results, order), _in_order(failures, order))


def _in_order(found: Mapping[Subject, T], order: Sequence[Subject]) -> Mapping[Subject, T]:
    """As they were asked for, not as threads came to their end."""
    return {subject: found[subject] for subject in order if subject in found}
