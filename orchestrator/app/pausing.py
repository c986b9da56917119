"""Pausing and resuming: an operation with other steps, and with what these need beside the workflow's context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from orchestrator import steps
from orchestrator.app.context import Context
from orchestrator.app.operation import Operation, Selection
from orchestrator.aws.autoscaling import Autoscaling
from orchestrator.aws.rds import Rds
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.aws.session import Aws
from orchestrator.contract import Stack
from orchestrator.engine import runner
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.step import Subject, Verdict
from orchestrator.lifecycle import pause, resume
from orchestrator.lifecycle.instances_started import Refusal
from orchestrator.lifecycle.standing import Standing
from orchestrator.pauses import Stamp


@dataclass(frozen=True, kw_only=True)
class PauseContext(Context):
    """What the steps of pause and resume see beside the workflow's. `refusals` is the run's memory."""

    counts: ServiceCounts
    autoscaling: Autoscaling
    stamp: Stamp
    refusals: dict[str, Refusal] = field(default_factory=dict)


class Pausing(Operation):
    """One command's pausing of a stack, or of some tenants' services. `who` are the user and the host that do it."""

    def __init__(self, *given: Any, who: tuple[str, str], kept: bool = False, **more: Any) -> None:
        self._who = who
        self._kept = kept
        super().__init__(*given, **more)

    def _available(self, selection: Selection) -> tuple[AnyStep, ...]:
        return pause.steps(whole=not selection.tenants, kept=self._kept)

    def _widened(self, context: Context) -> PauseContext:
        return _widened(context, self.aws, Stamp.of(context.started, *self._who))

    def verify(self) -> None:
        """Only the account: nothing is reached but AWS."""
        self.aws.require_account(self.stack.account_id)

    def preview(self) -> Mapping[str, Mapping[Subject, Verdict]]:
        """What the steps would do, one after the other; changes nothing."""
        return runner.survey(pause.preview(self._steps), self._context, subjects=self._subjects)


class Resuming(Operation):
    """One command's resuming: the workflow, with what was paused started in it."""

    def __init__(self, *given: Any, who: tuple[str, str], **more: Any) -> None:
        self._who = who
        super().__init__(*given, **more)

    def _available(self, _selection: Selection) -> tuple[AnyStep, ...]:
        return resume.steps(steps.discover())

    def _widened(self, context: Context) -> PauseContext:
        return _widened(context, self.aws, Stamp.of(context.started, *self._who))


def _widened(context: Context, aws: Aws, stamp: Stamp) -> PauseContext:
    known = {one.name: getattr(context, one.name) for one in fields(context)}
    cluster = context.stack.cluster
    return PauseContext(
        **known,
        counts=ServiceCounts(aws.client("ecs"), cluster),
        autoscaling=Autoscaling(aws.client("application-autoscaling"), cluster),
        stamp=stamp,
    )


def standing_of(stack: Stack, aws: Aws) -> Standing:
    """Whether the stack, or which of its tenants, are paused: two calls for ten tenants."""
    counts = ServiceCounts(aws.client("ecs"), stack.cluster)
    seen = counts.read([tenant.service for tenant in stack.tenants.values()])
    by_tenant = {name: seen[tenant.service] for name, tenant in stack.tenants.items() if tenant.service in seen}
    return Standing(Rds(aws.client("rds")).server(stack.database.instance), by_tenant)
