"""What orchestrate asked of AWS and what it was answered: `python -m tests.smoke.recording FILE ORCHESTRATE-ARGUMENT…`.

Runs one command of orchestrate in this process, and writes a line of shapes for each of its calls.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.handlers
from botocore.model import OperationModel

from tests.smoke.shapes import Line, line


class Record:
    """A file of lines, written as they come, by several processes too. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def write(self, said: Line) -> None:
        """One more."""
        text = json.dumps(said, sort_keys=True) + "\n"
        with self._lock, self._file.open("a") as file:
            file.write(text)


class Recorder:
    """Hears the calls of this process."""

    def __init__(self, record: Record, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._record = record
        self._monotonic = monotonic
        self._given = threading.local()

    def install(self) -> None:
        """From now on each session of botocore in this process tells of its calls."""
        botocore.handlers.BUILTIN_HANDLERS += [
            ("provide-client-params", self._asked),
            ("after-call", self._answered),
        ]

    def _asked(self, params: Mapping[str, Any], **_: Any) -> None:
        self._given.params, self._given.since = dict(params), self._monotonic()

    def _answered(self, parsed: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
        given, since = getattr(self._given, "params", {}), getattr(self._given, "since", self._monotonic())
        self._record.write(line("orchestrate", model, given, parsed, self._monotonic() - since))


def main(arguments: Sequence[str]) -> None:
    """Run the command; ends the process with its status."""
    Recorder(Record(Path(arguments[0]))).install()
    from orchestrator.cli import main as orchestrate  # noqa: PLC0415 - after the recorder is there

    sys.argv = ["orchestrate", *arguments[1:]]
    orchestrate()


if __name__ == "__main__":
    main(sys.argv[1:])
