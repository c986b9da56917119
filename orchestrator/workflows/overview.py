"""Where you are and what to do next, from local files alone: no AWS, no Terraform, nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import OrchestratorError
from orchestrator.render.endings import next_command
from orchestrator.stack.mapping_place import CONTRACT_FILE, CONTRACT_VARIABLE
from orchestrator.workflows.caller import StackRef

if TYPE_CHECKING:
    from orchestrator.engine.journal import RunRecord
    from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What local files tell of a directory."""

    directory: Path
    configured: bool = False
    """Whether there is a Terraform configuration or a contract, here or in the environment."""
    stack: str = ""
    """Its name, where orchestrate.toml or the record of a run says it."""
    lock: str = ""
    """Where it is; empty where that can't be told."""
    holder: str = ""
    """Who holds it: of a lock that is a file; one in S3 is not asked."""
    last: str = ""
    """The last run that was recorded here: when, which command, how it ended."""
    command: str = ""
    """Of the last run."""
    outcome: str = ""
    """Of the last run, as in its record."""

    @property
    def advice(self) -> str:
        """What to do next."""
        if self.holder:
            return "a run is in progress: `orchestrate status --watch` shows how far the stack is"
        if not self.configured:
            return (
                "change to Terraform's directory, or name it with --chdir; `orchestrate demo` shows everything on a "
                "local cloud"
            )
        if not self.command:
            return "`orchestrate apply`; for a stack that already exists, `orchestrate init` first"
        return next_command(self.command, self.outcome)


def overview(stack: StackRef) -> Overview:
    """What local files tell. A file that can't be read tells nothing, and is no error."""
    directory = stack.directory.resolve()
    said = bool(stack.environment.get(CONTRACT_VARIABLE)) or (directory / CONTRACT_FILE).is_file()
    settings, named = _settings(stack)
    lock, holder = _lock(stack, settings) if settings else ("", "")
    record = _last(stack) if settings else None
    return Overview(
        directory=directory,
        configured=bool(named) or said or any(directory.glob("*.tf")) or any(directory.glob("*.tofu")),
        stack=named or (record.stack if record else ""),
        lock=lock,
        holder=holder,
        last=f"{record.began[:19].replace('T', ' ')} UTC, {record.command}: {record.outcome}" if record else "",
        command=record.command if record else "",
        outcome=record.outcome if record else "",
    )


def _settings(stack: StackRef) -> tuple[Settings | None, str]:
    """The settings, and the stack's name in the file."""
    from orchestrator.settings import Settings, contract_table

    try:
        named = contract_table(stack.directory).get("stack", "")
        return Settings(stack.settings, stack.environment, stack.directory), str(named)
    except OrchestratorError:
        return None, ""


def _lock(stack: StackRef, settings: Settings) -> tuple[str, str]:
    from orchestrator.engine.file_lock import FileLock
    from orchestrator.terraform.lock_places import lock_of

    try:
        lock = lock_of(
            stack.directory, stack.environment, settings["lock-dir"], lock=settings["lock"], contract=stack.contract
        )
        return lock.place, str(lock.holder() or "") if isinstance(lock, FileLock) else ""
    except (OrchestratorError, OSError):
        return "", ""


def _last(stack: StackRef) -> RunRecord | None:
    """The last run of which at least the command is recorded."""
    from orchestrator.workflows.history import history

    try:
        return next((record for record in history(stack) if record.command), None)
    except OrchestratorError:
        return None
