"""Problems that are no step's, as events."""

from __future__ import annotations

from orchestrator.errors import Problem
from orchestrator.events import FindingReported


def with_place(problem: Problem) -> str:
    """The message, behind its place."""
    return f"{problem.context}: {problem.message}" if problem.context else problem.message


def worth_knowing(step: str, problem: Problem) -> FindingReported:
    """A problem as something to know, which fails nothing."""
    return FindingReported(step=step, detail=with_place(problem), code=problem.code, fix=problem.fix)
