"""What an order is, what became of it, and when it goes no further. Plain values, which the database keeps as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.errors import Outcome, Problem

_GOOD = frozenset({Outcome.SUCCEEDED.word, Outcome.PENDING.word})
WATCH = "watch"
"""The verb of the watch's rounds."""
MEMORY = "memory"
"""In the result of a round: what is remembered of it (`watching.py`)."""
CANCELLED = "cancelled"
NOT_BEGUN = "not-begun"
UNFINISHED, FINISHED = "unfinished", "finished"
"""States of an order, beside `cancelled` and `failed`."""


@dataclass(frozen=True, slots=True)
class Order:
    """One command for some stacks. `waves`: who goes together; `places`: whose AWS rates each stack shares."""

    verb: str
    waves: tuple[tuple[str, ...], ...]
    places: Mapping[str, str] = field(default_factory=dict)
    stop_after: int | None = None
    """After so many stacks that failed, no other is begun."""
    arguments: tuple[str, ...] = ()
    """Of `exec`: the command."""

    @property
    def stacks(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(one for wave in self.waves for one in wave)

    @property
    def key(self) -> str:
        """The same for the same order: what is asked for twice while it lasts is done once."""
        said = json.dumps([self.verb, self.waves, self.stop_after, *([self.arguments] if self.arguments else [])])
        return f"{self.verb}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"

    def as_json(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Order:
        """As it was written."""
        waves = tuple(tuple(wave) for wave in said["waves"])
        arguments = tuple(said.get("arguments", ()))
        return cls(said["verb"], waves, dict(said["places"]), said["stop_after"], arguments)


@dataclass(frozen=True, slots=True)
class StackResult:
    """How it ended for one stack. `outcome` is a word of `errors.Outcome`, or one of those above."""

    stack: str
    outcome: str
    changed: int = 0
    seconds: float = 0.0
    aws_calls: int = 0
    worker: str = ""
    problems: tuple[Mapping[str, str], ...] = ()
    """What failed: `step`, `subject`, `code`, `detail`, `fix`."""
    output: str = ""
    """Of `exec`: the file on the worker that has what the command printed."""
    ended: float = 0.0
    """Seconds since the epoch; 0: not known."""
    saving: float = 0.0
    """Of a pause: dollars a month that it saves, as estimated."""
    saved: float = 0.0
    """Of a resume: dollars that the pause before it has saved."""

    @property
    def failed(self) -> bool:
        """Whether it counts as a failure; work that was found (`plan`, `status`) is none."""
        return self.outcome not in _GOOD

    @property
    def why(self) -> str:
        """In one line."""
        if self.problems:
            first, more = self.problems[0], len(self.problems) - 1
            where = " ".join(filter(None, (first["step"], first["subject"])))
            return f"{where}: {first['detail']} [{first['code']}]{f' and {more} more' if more else ''}"
        return f"changed: {self.changed}" if self.changed else ""

    def as_json(self) -> dict[str, Any]:
        """For the database, and for `--json`."""
        return asdict(self)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> StackResult:
        """As it was written."""
        return cls(**{**said, "problems": tuple(said["problems"])})


def refused(stack: str, problem: Problem, outcome: Outcome | None = None) -> StackResult:
    """Of a stack at which nothing was done, because of this; without an outcome it was not begun. Pure."""
    said = {"step": "fleet", "subject": "", "code": problem.code, "detail": problem.message, "fix": problem.fix}
    return StackResult(stack, outcome.word if outcome else NOT_BEGUN, problems=(said,))


def objection(results: Sequence[StackResult], stop_after: int | None) -> str:
    """Why no other wave is begun after these; empty: it may be. Pure."""
    failed = [one.stack for one in results if one.failed]
    if stop_after is not None and len(failed) >= stop_after:
        return f"{len(failed)} of {len(results)} failed ({', '.join(failed)})"
    return ""


def completed(order: Order, results: Sequence[StackResult], why: str) -> tuple[StackResult, ...]:
    """One result for each stack of the order: of those that have none, that they were not begun, and why. Pure."""
    known = {one.stack: one for one in results}
    problem = Problem(
        "stack-not-begun", f"not started: {why}", fix="`--failed` continues with the stacks that are left"
    )
    return tuple(known.get(one) or refused(one, problem) for one in order.stacks)


def outcome_of(results: Sequence[StackResult]) -> Outcome:
    """How the whole order ended: as its stacks, where all that failed failed alike; otherwise it failed. Pure."""
    failed = {one.outcome for one in results if one.failed} - {NOT_BEGUN}
    words = {one.word: one for one in Outcome}
    if not failed:
        pending = any(one.outcome == Outcome.PENDING.word for one in results)
        return Outcome.PENDING if pending else Outcome.SUCCEEDED
    return words.get(next(iter(failed)), Outcome.FAILED) if len(failed) == 1 else Outcome.FAILED


def left_over(earlier: Sequence[Sequence[StackResult]]) -> tuple[str, ...]:
    """Of finished orders (newest first) each stack's newest result: those that failed or were not begun. Pure."""
    newest: dict[str, StackResult] = {}
    for results in earlier:
        for one in results:
            newest.setdefault(one.stack, one)
    return tuple(sorted(name for name, one in newest.items() if one.failed))
