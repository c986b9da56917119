"""`ORCHESTRATE_PARENT`: a `run` that Terraform calls leaves the steps to the `apply` that called Terraform.

Left behind in a shell, or inherited from a command that died, it must not make a run succeed without doing anything.
So it is bound to a living process and to the stack: the value names a file that the parent holds locked for as long as
it lives (the kernel frees it, however it ends), and where the parent's Terraform is.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from orchestrator.errors import Problem

PARENT = "ORCHESTRATE_PARENT"
"""Set for everything terraform starts: a local-exec hook then leaves the steps to the `apply` around it."""
_PREFIX = "orchestrate-parent-"


@dataclass(frozen=True, slots=True)
class ParentRun:
    """What the value says: the file that the parent holds, and where its Terraform is."""

    held: str
    place: str

    def __str__(self) -> str:
        return json.dumps({"held": self.held, "place": self.place})


@contextmanager
def parent(directory: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The value for what Terraform starts, true while the context lasts."""
    handle, name = tempfile.mkstemp(prefix=_PREFIX)
    os.close(handle)
    lock = FileLock(name, thread_local=False, fallback_to_soft=False)
    lock.acquire()
    try:
        yield str(ParentRun(name, place(directory, environment)))
    finally:
        lock.release()
        with suppress(OSError):
            Path(name).unlink()


def place(directory: Path, environment: Mapping[str, str]) -> str:
    """What tells one stack from another before anything of it is known: where its Terraform is, and the workspace."""
    return f"{directory.resolve()}, workspace {environment.get('TF_WORKSPACE') or 'as selected there'}"


def stale(value: str, directory: Path, environment: Mapping[str, str]) -> Problem | None:
    """Why the value is not to be believed; None: its parent is at work around us, on this stack."""
    said = _read(value)
    if said is None:
        return _ignored("it names no run of this version")
    if not _is_held(Path(said.held)):
        return _ignored("the run that set it has ended")
    if said.place != place(directory, environment):
        return _ignored(f"it belongs to another stack, in {said.place}")
    return None


def _ignored(why: str) -> Problem:
    fix = f"none needed: it is ignored; `unset {PARENT}` removes it"
    return Problem("parent-stale", f"{PARENT} is set, but {why}: this run executes its own steps", PARENT, fix)


def _read(value: str) -> ParentRun | None:
    try:
        said = json.loads(value)
        return ParentRun(str(said["held"]), str(said["place"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_held(file: Path) -> bool:
    """Whether a living process has it locked. Only what a parent has made is looked at: to try would make it."""
    if not file.name.startswith(_PREFIX) or not file.is_file():
        return False
    probe = FileLock(file, fallback_to_soft=False)
    try:
        with probe.acquire(blocking=False):
            return False
    except Timeout:
        return True
    except OSError:
        return False
