"""The service's task definition was deregistered: what runs goes on, and ECS refuses the next deployment with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import again


def _change(console: Console) -> Iterator[Undo]:
    ecs = console.client("ecs")
    for one in console.services():
        ecs.deregister_task_definition(taskDefinition=one["taskDefinition"])
        yield partial(again, ecs, one)


FAULT = meddled("definition-inactive", "the task definition is INACTIVE", "", _change, restarts=False)
