"""What each step observes now, and one table of everything; with `watch` until all is up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import Interrupted, Outcome, Problem, TimedOut
from orchestrator.events import Emit, FindingReported
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.survey import outcome_of, show_survey, survey_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.app import Operation, StatusWatch
    from orchestrator.app.status_watch import StatusView
    from orchestrator.engine.looks import Look

EVERY = 5.0
"""Seconds between two looks (the setting `poll` says otherwise)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions(StepOptions):
    """Which steps and tenants; `watch`: look again and again until everything is up, or `timeout` has passed.

    `page`: a file to be written, with what was seen last.
    """

    watch: bool = False
    page: Path | None = None


def status(
    stack: StackRef, options: StatusOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Show what there is, changing nothing. `PENDING` when there is work to do, for `run` or for `doctor --fix`."""
    chosen = options or StatusOptions()

    def work(execution: Execution) -> Outcome:
        from orchestrator import app

        operation = execution.look_at()
        execution.pages.knows(operation.stack, operation.tenants)
        status_watch = app.StatusWatch(operation, execution.clock)
        if chosen.watch:
            return _watched(execution, status_watch)
        together = operation.looking_together()
        with together().tried():
            paused = _paused(execution, operation)
        return _shown(execution, status_watch, together) if paused is None else paused

    return perform("status", stack, work, emit=emit, caller=caller, steps=chosen, page=chosen.page)


def _paused(execution: Execution, operation: Operation) -> Outcome | None:
    """Since when and by whom, and whether all is as the pause left it; None: nothing is paused."""
    from orchestrator import app

    pause_state = app.pause_state_of(operation.stack, operation.aws)
    if pause_state.whole is None and not pause_state.tenants:
        return None
    execution.emit(FindingReported(step="status", detail=str(pause_state), code="paused", fix="orchestrate resume"))
    return show_survey(execution.emit, app.paused_survey(operation, pause_state))


def _shown(execution: Execution, status_watch: StatusWatch, together: Callable[[], Look]) -> Outcome:
    picture = status_watch.look(together)
    show_survey(execution.emit, picture.verdicts)
    for part in picture.parts:
        execution.emit(part)
    return _outcome(execution.steps, picture)


def _outcome(chosen: StepOptions, picture: StatusView) -> Outcome:
    """That of the steps; where all are asked for, pending as well when a part is not up that no run brings up."""
    from orchestrator.render import board

    outcome = outcome_of(picture.verdicts)
    if outcome is not Outcome.SUCCEEDED or chosen.only or chosen.skip or board.is_up(picture.parts):
        return outcome
    return Outcome.PENDING


def _watched(execution: Execution, status_watch: StatusWatch) -> Outcome:
    clock, limit = execution.clock, execution.settings["timeout"]
    deadline = clock.monotonic() + limit if limit else float("inf")
    while True:
        picture = status_watch.look()
        execution.picture([*survey_events(picture.verdicts), *picture.parts])
        outcome = _outcome(execution.steps, picture)
        if outcome is Outcome.SUCCEEDED:
            return outcome
        if clock.monotonic() >= deadline:
            fix = "`orchestrate doctor` says why"
            raise TimedOut(Problem("not-up-in-time", f"not everything was up after {limit:g} s", "status", fix))
        try:
            clock.sleep(min(execution.settings["poll"] or EVERY, max(0.0, deadline - clock.monotonic())))
        except Interrupted:
            return Outcome.INTERRUPTED
