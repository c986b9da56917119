"""What `tasks` shows: every task of the tenants' services that ECS still knows, with the cause of those that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from orchestrator.aws.ecs import Ecs, Task
from orchestrator.engine.step import Subject
from orchestrator.errors import OrchestratorError
from orchestrator.events import ContainerObserved, Event, StepFailed, TaskObserved
from orchestrator.rollout.diagnosis import Failure, classify, failed
from orchestrator.stack.contract import Stack

AT_ONCE = 8


def observe(stack: Stack, names: Sequence[Subject], ecs: Ecs) -> Iterator[Event]:
    """Per service, newest first; one that can't be asked is a failure of its own."""
    tenants = {name: one.name for name, one in stack.services.items() if one.tenant in names}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for tenant, found in zip(
            tenants, pool.map(lambda service: _tasks(ecs, service), tenants.values()), strict=True
        ):
            if isinstance(found, OrchestratorError):
                problem = found.problems[0]
                yield StepFailed(
                    step="tasks", subject=tenant, detail=problem.message, code=problem.code, fix=problem.fix
                )
            else:
                yield from (event(tenant, task) for task in found)


def _tasks(ecs: Ecs, service: str) -> Sequence[Task] | OrchestratorError:
    try:
        return ecs.tasks(service)
    except OrchestratorError as error:
        return error


def event(tenant: Subject, task: Task) -> TaskObserved:
    """One task as it is told."""
    cause = classify(Failure(task)) if failed(task) else None
    return TaskObserved(
        step="tasks",
        subject=tenant,
        detail=cause.message if cause else task.stopped_reason,
        task=task.id,
        status=task.status,
        deployment=task.deployment,
        created=_stamp(task.created_at),
        stopped=_stamp(task.stopped_at),
        stop_code=task.stop_code,
        reason=task.stopped_reason,
        containers=tuple(
            ContainerObserved(container=one.name, status=one.status, exit_code=one.exit_code, reason=one.reason)
            for one in task.containers
        ),
        code=cause.code if cause else "",
        fix=cause.fix if cause else "",
    )


def _stamp(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
