"""What containers print, in moto's CloudWatch Logs: the `awslogs` driver."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.logs.models import logs_backends

from orchestrator.local.core.cloud import ACCOUNT


@dataclass(frozen=True, slots=True)
class LogTarget:
    """Where a container's output goes."""

    region: str
    group: str
    stream: str

    @property
    def exists(self) -> bool:
        """Whether the group is there."""
        return self.group in logs_backends[ACCOUNT][self.region].groups

    def open(self) -> None:
        """Create the stream, as the driver does before the container starts. The group must exist."""
        logs_backends[ACCOUNT][self.region].ensure_log_stream(self.group, self.stream)

    def write(self, lines: Iterable[str]) -> None:
        """Append lines, stamped now. A group that was deleted meanwhile swallows them, as with the real driver."""
        backend = logs_backends[ACCOUNT][self.region]
        group = backend.groups.get(self.group)
        if group is None or self.stream not in group.streams:
            return
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        backend.put_log_events(self.group, self.stream, events)


def log_target(container: Mapping[str, Any], task_id: str, default_region: str) -> LogTarget | None:
    """The container's log stream `prefix/container/task`, or None: it does not use the awslogs driver."""
    configuration = container.get("logConfiguration") or {}
    options = configuration.get("options") or {}
    if configuration.get("logDriver") != "awslogs" or "awslogs-group" not in options:
        return None
    prefix = options.get("awslogs-stream-prefix", "ecs")
    region = options.get("awslogs-region", default_region)
    return LogTarget(region, options["awslogs-group"], f"{prefix}/{container['name']}/{task_id}")
