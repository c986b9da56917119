"""Notifies those that `[notify]` names of the end of a run: before its last event, which can then say what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from orchestrator.errors import OrchestratorError
from orchestrator.events import Event, FindingReported, RunFinished, RunStarted, StepFailed
from orchestrator.redact import Redactor
from orchestrator.render.redact import redacted
from orchestrator.workflows.caller import StackRef
from orchestrator.workflows.problem_events import worth_knowing

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.settings import Settings


class EndNotice:
    """Hears what a run says, until it has ended."""

    def __init__(self, run: str, command: str, who: tuple[str, str], redact: Redactor) -> None:
        """`who` is user and host."""
        self._run = run
        self._command = command
        self._who = who
        self._redact = redact
        self._stack = ""
        self._failures: list[StepFailed] = []

    def heard(self, event: Event) -> None:
        """What the notice has to say."""
        if isinstance(event, RunStarted):
            self._stack = event.stack
        elif isinstance(event, StepFailed):
            self._failures.append(event)

    def sent(
        self, finished: RunFinished, ref: StackRef, settings: Callable[[], Settings], now: datetime
    ) -> Iterator[FindingReported]:
        """Send it, if somebody wants it, and give what was not delivered: that changes nothing of how the run ended."""
        try:
            chosen = settings().notices
        except OrchestratorError:  # the run has ended with it
            return
        if chosen is None or (chosen.on and finished.outcome not in chosen.on):
            return
        from orchestrator.app.notifying import notify
        from orchestrator.notices.table import targets
        from orchestrator.render.notice import RunNotice

        to = targets(chosen, ref.environment)
        self._redact.learn(filter(None, (to.webhook_key, to.slack)))
        user, host = self._who
        notice = RunNotice(
            run=self._run,
            command=self._command,
            stack=self._stack,
            outcome=finished.outcome,
            changed=finished.changed,
            seconds=finished.seconds,
            user=user,
            host=host,
            failures=[redacted(one, self._redact) for one in self._failures],
        )
        for problem in notify(notice, to, now=now, directory=ref.directory, environment=ref.environment):
            yield worth_knowing("notify", problem)
