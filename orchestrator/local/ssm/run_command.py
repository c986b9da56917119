"""Run Command's state: a command, its invocations (one an instance), and how their status moves. Thread-safe.

Commands live in moto's SSM backend (`_commands`), where the API (`ssm.moto`) puts them and the agent
(`agent`) fetches them: the two meet nowhere else, and a reset of moto forgets them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from moto.ssm.models import ssm_backends

FINAL = frozenset({"Success", "Failed", "TimedOut", "Cancelled"})
NEVER_RAN = -1
"""ResponseCode of what did not start (GetCommandInvocation's documentation)."""
STOPPED = 137
"""ResponseCode of a script that the agent killed (the agent's own constant: 128 + SIGKILL)."""


@dataclass(frozen=True, slots=True)
class InvocationEnd:
    """How an invocation ended; `status` is one of `FINAL`."""

    status: str
    details: str
    response_code: int
    stdout: str = ""
    stderr: str = ""


@dataclass(slots=True)
class Invocation:
    """A command on one instance: Pending → InProgress → one of `FINAL`. Only the first outcome counts."""

    instance_id: str
    status: str = "Pending"
    outcome: InvocationEnd | None = None
    started: datetime | None = None
    finished: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, now: datetime) -> bool:
        """The agent took it. False when it is no longer Pending: it must not run."""
        with self._lock:
            if self.status != "Pending":
                return False
            self.status, self.started = "InProgress", now
            return True

    def finish(self, outcome: InvocationEnd, now: datetime) -> None:
        """It ended."""
        with self._lock:
            if self.outcome is None:
                self.status, self.outcome, self.finished = outcome.status, outcome, now

    def cancel(self, now: datetime) -> None:
        """Asked for by CancelCommand: what waits is Cancelled, what runs is Cancelling until killed."""
        with self._lock:
            if self.status == "Pending":
                self.outcome = InvocationEnd("Cancelled", "Cancelled", NEVER_RAN)
                self.status, self.finished = "Cancelled", now
            elif self.status == "InProgress":
                self.status = "Cancelling"

    @property
    def details(self) -> str:
        """StatusDetails."""
        return self.outcome.details if self.outcome else self.status


@dataclass(slots=True)
class Command:
    """What SendCommand was given, and an invocation for every instance. `expires`, `visible`: monotonic."""

    command_id: str
    document_name: str
    comment: str
    parameters: dict[str, list[str]]
    targets: list[dict[str, Any]]
    timeout_seconds: int
    requested: datetime
    visible: float
    """From then on GetCommandInvocation finds it (AWS is eventually consistent)."""
    expires: float
    """From then on it is no longer delivered."""
    invocations: dict[str, Invocation]

    @property
    def script(self) -> str:
        """AWS-RunShellScript joins the elements of `commands` with line feeds."""
        return "\n".join(self.parameters["commands"]) + "\n"

    @property
    def execution_timeout(self) -> float:
        """Seconds the script may run; the document's default is an hour."""
        return float(self.parameters.get("executionTimeout", ["3600"])[0])

    @property
    def working_directory(self) -> str:
        """Where the script starts; empty: a folder of the agent's."""
        return self.parameters.get("workingDirectory", [""])[0]

    @property
    def status(self) -> str:
        """The command's own status: the worst of its invocations once all ended."""
        statuses = {invocation.status for invocation in self.invocations.values()}
        for status in ("Cancelling", "InProgress"):
            if status in statuses:
                return status
        if "Pending" in statuses:
            return "Pending" if statuses == {"Pending"} else "InProgress"
        return next((status for status in ("Failed", "TimedOut", "Cancelled") if status in statuses), "Success")


def commands(account: str, region: str) -> list[Command]:
    """The commands of one account and region, oldest first."""
    return cast("list[Command]", ssm_backends[account][region]._commands)


def open_commands() -> Iterator[tuple[str, str, Command]]:
    """Every command that has not ended: account, region, command. Asked for all the time: it makes no backends."""
    for account, regions in list(ssm_backends.items()):
        for region, backend in list(regions.items()):
            for command in cast("list[Command]", list(backend._commands)):
                if command.status not in FINAL:
                    yield account, region, command
