"""A shell that remembers, from line to line, where it is and what was exported; its user answers yes."""

from __future__ import annotations

import os
import pty
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = 600
"""A command that takes longer hangs."""
_REMEMBER = "status=$?\nenv -0 > {state}/env\npwd > {state}/folder\nexit $status\n"


@dataclass(frozen=True)
class Typed:
    """How a line ended, and all that it said."""

    status: int
    said: str


class Session:
    """bash, with a keyboard (so that it may ask) and no screen (so that it prints lines)."""

    def __init__(self, folder: Path, state: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._state = state
        self._environment = environment

    def type(self, line: str) -> Typed:
        ours, theirs = pty.openpty()
        try:
            os.write(ours, b"yes\n")
            done = subprocess.run(
                ["bash", "-c", f"{line}\n{_REMEMBER.format(state=self._state)}"],
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        finally:
            os.close(ours)
            os.close(theirs)
        exported = (self._state / "env").read_text().split("\0")
        self._environment = dict(one.split("=", 1) for one in exported if "=" in one)
        self.folder = Path((self._state / "folder").read_text().rstrip("\n"))
        return Typed(done.returncode, done.stdout)
