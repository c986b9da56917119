"""What a look at the world found, as events and as an outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.engine.step import Blocked, Done, Subject, Todo, Verdict, Wait
from orchestrator.errors import Outcome
from orchestrator.events import Emit, Event, FindingReported, StepDone, StepFailed, StepWaiting


def show_survey(emit: Emit, survey: Mapping[str, Mapping[Subject, Verdict]]) -> Outcome:
    """Say what a look at the world found; the outcome tells whether there is work."""
    for event in survey_events(survey):
        emit(event)
    return outcome_of(survey)


def survey_events(survey: Mapping[str, Mapping[Subject, Verdict]]) -> Iterator[Event]:
    """What a look at the world found."""
    for step, verdicts in survey.items():
        for subject, verdict in verdicts.items():
            yield _event(step, subject, verdict)


def outcome_of(survey: Mapping[str, Mapping[Subject, Verdict]]) -> Outcome:
    """Failed where something is blocked, else pending where something is not done."""
    verdicts = [verdict for some in survey.values() for verdict in some.values()]
    if any(isinstance(verdict, Blocked) for verdict in verdicts):
        return Outcome.FAILED
    return Outcome.SUCCEEDED if all(isinstance(verdict, Done) for verdict in verdicts) else Outcome.PENDING


def _event(step: str, subject: Subject, verdict: Verdict) -> Event:
    if isinstance(verdict, Done):
        return StepDone(step=step, subject=subject, detail=verdict.detail)
    if isinstance(verdict, Wait):
        return StepWaiting(step=step, subject=subject, detail=verdict.because)
    if isinstance(verdict, Todo):
        return FindingReported(step=step, subject=subject, detail=f"would {verdict.change}", code="change-planned")
    problem = verdict.problem
    return StepFailed(
        step=step, subject=subject, detail=problem.message, code=problem.code, fix=problem.fix, context=problem.context
    )
