"""REDIS_PASSWORD is in no container's secrets."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import Definition, backend, change_definition


def _forget(container: Definition) -> Definition:
    return {**container, "secrets": [one for one in container["secrets"] if one["name"] != "REDIS_PASSWORD"]}


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, backend(_forget))


FAULT = meddled(
    "redis-password-missing", "the tasks don't send Redis's password", "Redis/Cache Issues", _change, restarts=False
)
