"""The processes of a fleet whose stacks are played (`played.py`), and what they wrote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import PATIENCE, until

LEASE = 20
"""Seconds: longer than a process gets no turn on a busy machine."""


@dataclass
class PlayedFleet:
    """A folder with a fleet.toml, and the processes that work on it."""

    folder: Path
    stacks: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    more: str = ""
    """Of the fleet.toml."""
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        written = "".join(f'[stacks.{name}]\ndirectory = "."\n' for name in self.stacks)
        (self.folder / "fleet.toml").write_text(f"lease = {LEASE}\n{self.more}{written}")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "tests.fleet.played", str(self.folder), *arguments]
        root = Path(__file__).parents[2]
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(root)}
        made = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, text=True)
        self.started.append(made)
        return made

    def worker(self) -> subprocess.Popen[str]:
        made = self.start("worker")
        until("the worker works", lambda: self.has(f"working {made.pid}") or made.poll() is not None)
        assert made.poll() is None
        return made

    def run(self, sizes: str = "", stop_after: int = 0, command: Sequence[str] = ()) -> subprocess.Popen[str]:
        return self.start("run", sizes, str(stop_after), *command)

    @staticmethod
    def said(process: subprocess.Popen[str]) -> dict[str, str]:
        """How the order ended: stack → outcome."""
        text, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        return dict(one.split("=") for one in text.split())

    def open(self, name: str = "gate") -> None:
        (self.folder / name).touch()

    @property
    def log(self) -> list[str]:
        file = self.folder / "log"
        return file.read_text().splitlines() if file.exists() else []

    def has(self, line: str) -> bool:
        return line in self.log

    def of(self, what: str) -> list[tuple[str, int]]:
        """Stack and process of each line that begins so, as they were written."""
        lines = [line.split() for line in self.log if line.startswith(f"{what} ")]
        return [(line[1], int(line[2])) for line in lines]

    def began(self, stack: str) -> bool:
        return any(name == stack for name, _ in self.of("began"))

    def are_done(self, stacks: tuple[str, ...]) -> bool:
        return set(stacks) <= {name for name, _ in self.of("done")}

    def end(self) -> None:
        end_all(self.started)


def end_all(started: Iterable[subprocess.Popen[str]]) -> None:
    """None of them is left: a stopped one is continued first."""
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE)


@contextmanager
def played(folder: Path, stacks: tuple[str, ...], more: str = "", **environment: str) -> Iterator[PlayedFleet]:
    made = PlayedFleet(folder, stacks, environment, more)
    try:
        yield made
    finally:
        made.end()
