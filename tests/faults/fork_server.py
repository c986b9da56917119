"""The real command line in processes that cost a fork: their parent has imported everything, and has no threads.

Each process is its own: environment, working directory, output into files, and an end that may be kill -9. What a
run waits for on the client's side only (botocore's back-off, Porkbun's pace) is shortened; nothing else is changed.
`python -m tests.faults.fork_server` reads one request a line (JSON) and answers with the process's exit status.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.faults.interceptor import Call, Injection, Interceptor, calls, install

SECONDS = 240
"""A command that takes longer hangs."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its status (-9: killed), what it said, and the calls it made."""

    status: int
    stdout: str
    stderr: str
    calls: tuple[Call, ...]

    @property
    def events(self) -> list[dict[str, Any]]:
        """As far as they are whole: a killed process may leave half a line."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.endswith("}")]

    @property
    def codes(self) -> set[str]:
        """The codes of everything that failed."""
        return {one["code"] for one in self.events if one["event"] == "step-failed"}

    @property
    def killed(self) -> bool:
        """By SIGKILL."""
        return self.status == -signal.SIGKILL


class ForkServer:
    """One parent of processes, itself a process. One play at a time."""

    def __enter__(self) -> ForkServer:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fork_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait()

    def run(
        self, folder: Path, environment: Mapping[str, str], arguments: Sequence[str], injection: Injection
    ) -> Ended:
        """Run `orchestrate ARGUMENTS` in `folder` to its end."""
        number = len(list(folder.glob("*.out")))
        out, err, log = (folder / f"{number}.{kind}" for kind in ("out", "err", "calls"))
        request = {"folder": str(folder), "environment": dict(environment), "arguments": list(arguments)}
        request |= {"injection": asdict(injection), "out": str(out), "err": str(err), "log": str(log)}
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(request) + "\n")
        self._parent.stdin.flush()
        status = int(self._parent.stdout.readline())
        return Ended(status, out.read_text(), err.read_text(), tuple(calls(log)))


def main() -> None:
    """Fork for each request."""
    from tests.faults import warm_up  # noqa: PLC0415 - only this process needs it all

    warm_up.import_everything()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            signal.alarm(SECONDS)
            _perform(**json.loads(line))
        _, ended = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        sys.stdout.flush()


def _perform(
    *,
    folder: str,
    environment: dict[str, str],
    arguments: list[str],
    injection: dict[str, Any],
    out: str,
    err: str,
    log: str,
) -> None:
    """What the process does; it never comes back."""
    from orchestrator.cli import main as command_line  # noqa: PLC0415 - with the rest

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), number)
    sys.argv = ["orchestrate", *arguments]
    install(Interceptor(Path(log), Injection(**injection)))
    try:
        command_line(arguments)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - the interpreter would show it as well
        traceback.print_exc()
        status = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
