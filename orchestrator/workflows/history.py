"""What was run here, and what it did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.engine.journal import FOLDER, records
from orchestrator.errors import Invalid, Problem
from orchestrator.workflows.caller import StackRef

if TYPE_CHECKING:
    from orchestrator.engine.journal import RunRecord

LAST = "last"
"""In place of an id: the newest run."""


def history(stack: StackRef, newest: int | None = None) -> Sequence[RunRecord]:
    """The runs recorded for a stack (all, or so many), the newest first."""
    return records(folder_of(stack), newest)


def run_of(stack: StackRef, run: str) -> RunRecord:
    """The one run whose id begins so, or the `last`. Raises `Invalid`."""
    found, folder = history(stack), folder_of(stack)
    matching = found[:1] if run == LAST else [record for record in found if record.run.startswith(run)]
    if len(matching) != 1:
        message = f"{len(matching)} runs begin with {run!r}" if matching else f"there is no run {run!r}"
        raise Invalid(Problem("run-unknown", message, str(folder), "`orchestrate history` lists them"))
    return matching[0]


def folder_of(stack: StackRef) -> Path:
    """Where they are recorded."""
    from orchestrator.settings import Settings

    settings = Settings(stack.settings, stack.environment, stack.directory)
    folder: Path = settings["journal-dir"] or stack.directory / FOLDER
    return folder
