"""The trials that have ended, in a file: a run that was cut off, or one of several, continues with the others.

A line a trial: what was tried, at which commit, and how it ended. Only a clean commit's trials are taken for tried.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.diagnose.trials import Result

ROOT = Path(__file__).parents[2]


def commit() -> str:
    """What is tried: the commit, with `-dirty` where files differ from it."""
    said = ("git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*")
    return subprocess.run(said, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@dataclass(frozen=True)
class Record:
    """What has been tried at this commit and speed. Without a file nothing is kept."""

    file: Path | None
    commit: str
    speed: float

    def ended(self) -> Mapping[str, Result]:
        """By name; the last of each counts."""
        if self.file is None or not self.file.exists() or self.commit.endswith("-dirty"):
            return {}
        lines = map(json.loads, self.file.read_text(encoding="utf-8").splitlines())
        same = (one for one in lines if (one.pop("commit"), one.pop("speed")) == (self.commit, self.speed))
        return {one["name"]: Result(**{**one, "tried": tuple(one["tried"])}) for one in same}

    def keep(self, result: Result) -> None:
        """One more line."""
        if self.file is not None:
            line = {"commit": self.commit, "speed": self.speed, **asdict(result)}
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
