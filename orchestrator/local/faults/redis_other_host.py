"""The tasks look for Redis where an earlier one was."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(
        console, set_variable("REDIS_HOST", lambda host: f"master.old-{host.removeprefix('master.')}")
    )


FAULT = meddled("redis-other-host", "REDIS_HOST is an old endpoint", "Redis/Cache Issues", _change, restarts=False)
