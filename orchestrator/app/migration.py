"""A migration that a person asks for: one task, then the rollout."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from orchestrator.app.context import Context
from orchestrator.app.operation import Operation, Selection
from orchestrator.aws.one_off_tasks import OneOffTasks
from orchestrator.engine import runner
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Around, Report
from orchestrator.engine.step import Subject
from orchestrator.events import Emit, Event
from orchestrator.lifecycle import migrated_rollout, schema_migrated
from orchestrator.lifecycle.schema_migrated import MARK, MigrationMemory
from orchestrator.steps import services


def _unheard(_event: Event) -> None:
    """Where nobody listens."""


@dataclass(frozen=True, kw_only=True)
class MigratingContext(Context):
    """What the steps see beside the workflow's. `migrations` and `workers_definitions` are the command's memory."""

    one_off: OneOffTasks
    migrations: dict[Subject, MigrationMemory] = field(default_factory=dict)
    workers_definitions: dict[Subject, str] = field(default_factory=dict)
    tell: Emit = _unheard


class Migrating(Operation):
    """The schema migrated by one task, the rollout only then, and the wait until it is up."""

    def _available(self, _selection: Selection) -> tuple[AnyStep, ...]:
        rollout = migrated_rollout.STEP
        return schema_migrated.STEP, rollout, replace(services.STEP, needs=(rollout.id,))

    def _widened(self, context: Context) -> MigratingContext:
        one_off = OneOffTasks(self.aws.client("ecs"), context.stack.cluster, MARK)
        return MigratingContext(**{one.name: getattr(context, one.name) for one in fields(context)}, one_off=one_off)

    def verify(self) -> None:
        """Only the account: nothing is reached but AWS."""
        self.aws.require_account(self.stack.account_id)

    def run(self, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Migrate and roll out; the migration's log goes the way of all events."""
        if isinstance(self._context, MigratingContext):
            self._context = replace(self._context, tell=emit)
        return super().run(emit, around)
