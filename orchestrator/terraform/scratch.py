"""Folders for plans and variable files, which hold secrets in clear: what a killed run left, the next deletes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from orchestrator.errors import Invalid, Problem

_NAME = "orchestrate-plan-"
_UNBORN = "orchestrate-new-"


class Scratch:
    """A folder, 0700, of this process; gone with `delete`, at the process's end, or with the object.

    A killed process leaves its folder behind. The kernel then frees the lock on it, by which the next one made beside
    it, of whatever stack, knows that it is nobody's, and deletes it.
    """

    def __init__(self, beside: Path | None = None) -> None:
        """Made in the folder for temporary files, else `beside` others. Raises `Invalid` (`temporary-unwritable`)."""
        parent = beside or Path(tempfile.gettempdir())
        for left in parent.glob(f"{_NAME}*"):
            _delete_if_abandoned(left)
        try:
            self.path, held = _made_in(parent)
        except OSError as error:
            fix = "free some space there, or set TMPDIR to another folder"
            problem = Problem("temporary-unwritable", error.strerror or str(error), str(parent), fix)
            raise Invalid(problem) from None
        self._end = weakref.finalize(self, _end, self.path, held)

    def delete(self) -> None:
        """May be called again."""
        self._end()


def _made_in(parent: Path) -> tuple[Path, int]:
    """The folder, and the open file that holds its lock."""
    unborn = Path(tempfile.mkdtemp(prefix=_UNBORN, dir=parent))
    held = os.open(unborn, os.O_RDONLY)
    _lock(held)
    # Only when it is held, it gets the name that others look for: nobody finds it abandoned in between.
    return unborn.rename(parent / f"{_NAME}{unborn.name.removeprefix(_UNBORN)}"), held


def _end(path: Path, held: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(held)


def _delete_if_abandoned(path: Path) -> None:
    """Somebody else's folder, and one on a file system without locks, stays."""
    with suppress(OSError):
        found = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(found).st_uid == os.getuid() and _lock(found):
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(found)


def _lock(folder: int) -> bool:
    """Whether the folder's lock is ours now."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
