"""The vocabulary of the workflow: a step observes, decides (purely) and applies; verdicts are per subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from orchestrator.errors import OrchestratorError, Outcome, Problem, Transient

C = TypeVar("C")
F = TypeVar("F")

Subject = str
"""A tenant's name, `TENANT/NAME` for a second service of it, or `STACK` for what the whole stack shares."""

STACK: Subject = ""
SEPARATOR = "/"
"""What no tenant's name holds."""


def tenant_of(subject: Subject) -> Subject:
    """Whose it is: who asks for a tenant asks for all of it, and what failed for a tenant failed for all of it."""
    return subject.partition(SEPARATOR)[0]


@dataclass(frozen=True, slots=True)
class Done:
    """Observed to be true. `detail` says what was seen."""

    detail: str


@dataclass(frozen=True, slots=True)
class Todo:
    """One idempotent change is needed. `change` says it in words; `payload` is the step's own, hashable description."""

    change: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet, but nothing of ours is missing. `because` is shown to the operator while waiting.

    `code` is the problem code reported when the deadline passes while still waiting; `poll` is when the next state
    can be seen, in seconds (None: the step's own interval). `progress` names how far the world has come (a migration's
    revision, say): each name seen for the first time gives the step its whole timeout again; silence gives nothing.
    """

    because: str
    code: str = "timed-out"
    fix: str = ""
    poll: float | None = None
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Blocked:
    """It will not become true by waiting or by what this step may do. `refused` marks what would be unsafe (exit 3)."""

    problem: Problem
    refused: bool = False


Verdict = Done | Todo | Wait | Blocked
Verdicts = Mapping[Subject, Verdict]


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a subject could not be looked at, as a fact. `passing`: it may pass by itself; `refused` as in `Blocked`."""

    problem: Problem
    passing: bool = False
    refused: bool = False

    @classmethod
    def because(cls, error: OrchestratorError) -> Unread:
        """What the error says of it."""
        return cls(error.problems[0], isinstance(error, Transient), error.outcome is Outcome.REFUSED)

    @classmethod
    def each(cls, failures: Mapping[Subject, OrchestratorError]) -> Mapping[Subject, Unread]:
        """What the failures of `subjects.attempt` say."""
        return {subject: cls.because(error) for subject, error in failures.items()}

    @property
    def error(self) -> OrchestratorError:
        """For a change that would have to know more of it."""
        return Transient(self.problem) if self.passing else OrchestratorError(self.problem)

    @property
    def verdict(self) -> Wait | Blocked:
        """It is looked at again where it may pass."""
        if self.passing:
            return Wait(f"{self.problem.message}; looking again", self.problem.code, self.problem.fix)
        return Blocked(self.problem, self.refused)


def no_findings(_facts: object) -> Iterable[Problem]:
    """Most steps have nothing to report beside their verdicts."""
    return ()


@dataclass(frozen=True, slots=True)
class Step(Generic[C, F]):
    """One thing that must be true.

    `observe` reads only, for all subjects in one batch, and may raise `Transient` (observed again) or any other
    `OrchestratorError` (the step fails); what fails for some subjects only is in the facts
    (`Unread`). `decide` is pure. `apply` makes the changes of all subjects that are `Todo` in as few calls as possible,
    each idempotent, and raises `PartlyFailed` when some of them failed: a `Transient` among the failures is tried again
    for its subject, any other ends the step for it. Success is what the next observation sees.
    """

    id: str
    title: str
    observe: Callable[[C], F]
    decide: Callable[[F], Verdicts]
    apply: Callable[[C, Mapping[Subject, Todo]], None]
    needs: tuple[str, ...] = ()
    timeout: float = 300.0
    """Seconds the step may take in all; a setting can say otherwise."""
    poll: float = 5.0
    """Seconds between two observations while waiting."""
    findings: Callable[[F], Iterable[Problem]] = no_findings
    """What the facts show that is worth knowing and stops nothing (pure)."""
    on_request: bool = False
    """Whether it is left out of what was not narrowed: it is made when named, or when a command asks for it."""
    whole: bool = False
    """Whether it is about all subjects at once: not begun when what it needs did not come true for one of them."""


def nothing_to_apply(_context: object, todos: Mapping[Subject, Todo]) -> None:
    """The `apply` of a step that only watches."""
    raise AssertionError(f"a step that only watches decided to change something: {todos}")
