"""The steps' verdicts as lines of a checklist: what the steps see of the running stack is what is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from orchestrator.checklist.model import Evidence, Remark, Status, passed, unknown
from orchestrator.engine.check import Severity
from orchestrator.engine.step import STACK, Blocked, Done, Todo, Verdict


def seen_by(step: str, otherwise: Callable[[Evidence], Iterable[Remark]]) -> Callable[[Evidence], Iterator[Remark]]:
    """An item's judgement: the step's verdict for each tenant (or the stack); `otherwise` where it wasn't asked."""

    def judged(evidence: Evidence) -> Iterator[Remark]:
        verdicts = evidence.live.verdicts.get(step, {}) if evidence.live else {}
        if verdicts:
            yield from (_remark(step, subject, verdict) for subject, verdict in verdicts.items())
        else:
            yield from otherwise(evidence)

    return judged


def _remark(step: str, subject: str, verdict: Verdict) -> Remark:
    if isinstance(verdict, Done):
        return passed(verdict.detail or "done", subject=subject)
    if isinstance(verdict, Todo):
        return _left(step, subject, verdict.change)
    if isinstance(verdict, Blocked):
        problem = verdict.problem
        return Remark(
            status=Status.FAILED,
            code=problem.code,
            severity=Severity.BLOCKER,
            subject=subject,
            says=problem.message,
            why=f"found by the step {step}",
            current=problem.context or problem.message,
            wanted="the step's result",
            fix=problem.fix or f"orchestrate doctor{_of(subject)}",
        )
    return unknown(verdict.because, subject=subject)


def _left(step: str, subject: str, change: str) -> Remark:
    return Remark(
        status=Status.FAILED,
        code=f"{step}-left",
        severity=Severity.BLOCKER,
        subject=subject,
        says=f"still to do: {change}",
        why="Terraform doesn't do it",
        current=f"the step {step} would {change}",
        wanted="nothing left to do",
        fix=f"orchestrate run --only {step}{_of(subject)}",
    )


def _of(subject: str) -> str:
    return f" --tenant {subject}" if subject != STACK else ""
