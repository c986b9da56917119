"""A container's own health check never passes: it asks a port on which nothing listens."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import Definition, change_definition, each_container

CHECK = {"command": ["CMD-SHELL", "curl -f http://localhost:9/health || exit 1"], "interval": 10, "retries": 3}


def _never_passes(container: Definition) -> Definition:
    return {**container, "healthCheck": CHECK} if container["name"] == "nginx" else container


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, each_container(_never_passes))


FAULT = meddled("container-unhealthy", "a container's health check never passes", "", _change, restarts=False)
