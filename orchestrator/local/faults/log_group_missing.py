"""The tenant's log group was deleted."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _delete(console: Console) -> Iterator[Undo]:
    logs = console.client("logs")
    containers = [one for made in console.definitions() for one in made["containerDefinitions"]]
    for group in {one["logConfiguration"]["options"]["awslogs-group"] for one in containers}:
        logs.delete_log_group(logGroupName=group)
        yield lambda group=group: logs.create_log_group(logGroupName=group)  # type: ignore[misc]


FAULT = meddled("log-group-missing", "the log group does not exist", "ECS Task Troubleshooting", _delete)
