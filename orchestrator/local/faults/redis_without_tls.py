"""The tasks talk to Redis without TLS (REDIS_SSL is not true)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable("REDIS_SSL", lambda _ssl: "false"))


FAULT = meddled("redis-without-tls", "REDIS_SSL is false", "Redis/Cache Issues", _change, restarts=False)
