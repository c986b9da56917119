"""The health checks of containers: HEALTHY, UNHEALTHY or UNKNOWN, as the task definition's own commands find.

No command is run. One that names a URL of the task itself (`curl -f http://localhost:8080/ || exit 1`) passes when the
application answers there with less than 400; `false` and a bare `exit 1` fail; any other passes. Sources: the API's
documentation of HealthCheck, and the developer guide's "Determine task health using container health checks". Left out:
time-outs of one check; checks in an image, which ECS ignores too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

HEALTHY, UNHEALTHY, UNKNOWN = "HEALTHY", "UNHEALTHY", "UNKNOWN"
Answer = Callable[[int, str], int | None]
"""Port and path → the HTTP status, or None: nothing listens there."""
_URL = re.compile(r"https?://(?:localhost|127\.0\.0\.1)[^\s'\"|;&]*")
_FAILS = re.compile(r"(CMD(-SHELL)?\s+)?(exit [1-9]\d*|(/bin/)?false)")


@dataclass(slots=True)
class ContainerCheck:
    """One container's check. Times are AWS's seconds since the task was RUNNING."""

    container: str
    essential: bool
    command: str
    interval: float
    retries: int
    start_period: float
    due: float
    failures: int = 0
    state: str = UNKNOWN

    def look(self, elapsed: float, answer: Answer) -> None:
        """Check again if it is time. In the start period a failure doesn't count, a success ends the period."""
        if elapsed < self.due:
            return
        self.due = elapsed + self.interval
        if passes(self.command, answer):
            self.failures, self.state, self.start_period = 0, HEALTHY, 0.0
            return
        if elapsed < self.start_period:
            return
        self.failures += 1
        if self.failures >= self.retries:
            self.state = UNHEALTHY


def checks_of(containers: Sequence[Mapping[str, Any]]) -> list[ContainerCheck]:
    """The checks that a task definition has."""
    return [
        ContainerCheck(
            container=str(one["name"]),
            essential=bool(one.get("essential", True)),
            command=" ".join(given["command"]),
            interval=float(given.get("interval") or 30),
            retries=int(given.get("retries") or 3),
            start_period=float(given.get("startPeriod") or 0),
            due=float(given.get("interval") or 30),
        )
        for one in containers
        if (given := one.get("healthCheck"))
    ]


def passes(command: str, answer: Answer) -> bool:
    """Whether the command would end with 0."""
    found = _URL.search(command)
    if found is None:
        return _FAILS.fullmatch(command.strip()) is None
    url = urlsplit(found[0])
    status = answer(url.port or (443 if url.scheme == "https" else 80), url.path or "/")
    return status is not None and status < 400


def of_task(checks: Sequence[ContainerCheck]) -> str:
    """The task's own: by its essential containers that have a check."""
    states = {check.state for check in checks if check.essential}
    if UNHEALTHY in states:
        return UNHEALTHY
    return HEALTHY if states == {HEALTHY} else UNKNOWN
