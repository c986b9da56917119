"""Deployments on request: continue one that waits at a pause hook, force a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from orchestrator.app.context import Context
from orchestrator.app.operation import Operation, Selection
from orchestrator.engine import runner
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.step import Subject, Verdict
from orchestrator.lifecycle import deployments_continued, redeploy_forced
from orchestrator.steps import services


@dataclass(frozen=True, kw_only=True)
class PausedContext(Context):
    """What the step sees beside the workflow's. `first_hooks` is the command's memory."""

    first_hooks: dict[Subject, str] = field(default_factory=dict)


class Continuing(Operation):
    """Deployments that wait at a pause hook are told to go on."""

    def _available(self, _selection: Selection) -> tuple[AnyStep, ...]:
        return (deployments_continued.STEP,)

    def _widened(self, context: Context) -> PausedContext:
        return PausedContext(**{one.name: getattr(context, one.name) for one in fields(context)})

    def verify(self) -> None:
        """Only the account: nothing is reached but AWS."""
        self.aws.require_account(self.stack.account_id)

    def preview(self) -> Mapping[str, Mapping[Subject, Verdict]]:
        """Which deployments wait, and where. Only what is shown here is continued afterwards."""
        return runner.survey(self._steps, self._context, subjects=self._subjects)


class Redeploying(Operation):
    """A new deployment of the services that were asked for, and the wait until it is up."""

    def _available(self, _selection: Selection) -> tuple[AnyStep, ...]:
        return redeploy_forced.STEP, replace(services.STEP, needs=(redeploy_forced.STEP.id,))

    def verify(self) -> None:
        """Only the account: nothing is reached but AWS."""
        self.aws.require_account(self.stack.account_id)
