"""Tells those whom `[notify]` in fleet.toml names what the watch has found: as a run's end is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orchestrator.app.notifying import notify
from orchestrator.errors import Outcome
from orchestrator.events import StepFailed
from orchestrator.fleet.file import Fleet
from orchestrator.fleet.watching import Alert
from orchestrator.notices.table import targets
from orchestrator.render.notice import RunNotice

COMMAND = "fleet watch"


def notice(alert: Alert, who: tuple[str, str]) -> RunNotice:
    """What is told of a stack: it `failed`, or, where all that was told of is over, `succeeded`. Pure."""
    failures = [
        StepFailed(step=one["step"], subject=one["subject"], detail=one["detail"], code=one["code"], fix=one["fix"])
        for one in alert.worse
    ]
    outcome = Outcome.FAILED if failures else Outcome.SUCCEEDED
    user, host = who
    return RunNotice(
        run="",
        command=COMMAND,
        stack=alert.result.stack,
        outcome=outcome.word,
        changed=0,
        seconds=alert.result.seconds,
        user=user,
        host=host,
        failures=failures,
    )


def deliver(alert: Alert, fleet: Fleet, environment: Mapping[str, str], who: tuple[str, str], now: datetime) -> int:
    """Tell them; gives how many could not be told. Where nobody is named, the round's report alone says it."""
    said, chosen = notice(alert, who), fleet.notices
    if chosen is None or (chosen.on and said.outcome not in chosen.on):
        return 0
    to = targets(chosen, environment)
    return len(list(notify(said, to, now=now, directory=fleet.folder, environment=environment)))
