"""The task has the guide's minimum of CPU, half of what it recommends."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import Definition, change_definition


def _shrink(definition: Definition) -> Definition:
    return {**definition, "cpu": "512", "memory": "2048"}


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, _shrink)


FAULT = meddled("small-task", "the task has half a vCPU", "Resource Sizing Issues", _change, restarts=False)
