"""What can go wrong, as values. Imports nothing from the package.

A `Problem` is what a person reads: a stable kebab-case code, what happened, where, and what to do. An
`OrchestratorError` carries problems to the command line, which turns the class into the exit status (`Outcome`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Outcome(Enum):
    """How a command ended. The one table of exit statuses (docs/reference/exit-status.md is made from it)."""

    SUCCEEDED = ("succeeded", 0, "everything that was asked for is done")
    FAILED = ("failed", 1, "a step failed, or the doctor found a blocker or could not run a check")
    INVALID = ("invalid", 2, "the command line, the settings, the contract, the credentials or their setup are wrong")
    REFUSED = ("refused", 3, "refused: it would be unsafe, or this is another account")
    TIMED_OUT = ("timed-out", 4, "a step's deadline passed while it waited")
    LOCKED = ("locked", 5, "another run is working on this stack")
    PENDING = ("pending", 6, "there is work to do (`plan`, `status`, `dns plan`, `dns check`)")
    EXPIRED = ("expired", 7, "the credentials expired during the run: sign in again, and the same command continues")
    INTERRUPTED = ("interrupted", 130, "Ctrl-C or SIGTERM")

    def __init__(self, word: str, status: int, meaning: str) -> None:
        self.word = word
        self.status = status
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect, ready to be shown. `code` is stable and documented; `context` is the place (file, step, tenant)."""

    code: str
    message: str
    context: str = ""
    fix: str = ""
    link: str = ""

    def __str__(self) -> str:
        place = f"{self.context}: " if self.context else ""
        fix = f" Fix: {self.fix}" if self.fix else ""
        return f"{place}{self.message} [{self.code}]{fix}"


class OrchestratorError(Exception):
    """Ends the command. Carries every problem found, never only the first."""

    outcome: ClassVar[Outcome] = Outcome.FAILED

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems: Sequence[Problem] = problems


class Invalid(OrchestratorError):
    """What was given to us is wrong: usage, settings, contract, credentials. It was not acted upon."""

    outcome = Outcome.INVALID


class Refused(OrchestratorError):
    """Doing it would be unsafe. It was not done; what was done before it, is."""

    outcome = Outcome.REFUSED


class TimedOut(OrchestratorError):
    """A deadline passed."""

    outcome = Outcome.TIMED_OUT


class Locked(OrchestratorError):
    """Another run, or another terraform, works on this stack."""

    outcome = Outcome.LOCKED


class Expired(OrchestratorError):
    """The credentials ended while we worked: with new ones the same command goes on from what is there."""

    outcome = Outcome.EXPIRED


class Interrupted(OrchestratorError):
    """A signal asked us to stop."""

    outcome = Outcome.INTERRUPTED


class Transient(OrchestratorError):
    """It may pass by itself (throttled, reset, not visible yet): the engine observes again until the deadline."""


class Unheard(Transient):
    """A change that would be made twice was sent once, and no answer came: it may have been made."""


class PartlyFailed(OrchestratorError):
    """Of several things some failed, each by itself; the others were done. `failures` is by their names."""

    def __init__(self, failures: Mapping[str, OrchestratorError]) -> None:
        super().__init__(*(problem for failure in failures.values() for problem in failure.problems))
        self.failures = failures


_ALIKE = 0.7
"""How alike two names must be for one to be the other misspelt (1: equal; difflib's ratio)."""


def meant(name: str, known: Iterable[str]) -> str:
    """The known name that `name` most likely stands for; empty when none is near."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=_ALIKE)), "")


def counted(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`: for nouns whose plural takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def correction(name: str, known: Iterable[str], what: str) -> str:
    """The fix for a name that isn't known: the nearest one, else all of them. `what` is their plural (`steps`)."""
    names = list(known)
    near = meant(name, names)
    return f"did you mean {near}?" if near else f"the {what} are {', '.join(names)}"
