"""Where the demo plays: a folder of its own, a cloud of its own, and the commands that run there.

Nothing stays behind: not after success, not after a failure, not after Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from orchestrator.local.core import state
from orchestrator.local.endpoint import client

TAIL = 40
"""Lines of a failed command's output that are shown again."""

_STOP_SECONDS = 30.0
_OURS = ("AWS_", "TF_", "TERRAFORM_BIN", "ORCHESTRATE_", "PORKBUN_", "PG")
"""Variables that would lead the demo to somebody's real cloud, or colour what it shows."""

_KEPT = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
"""Where the AWS provider comes from stays the user's choice."""

_ALONE = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "NO_PROXY": "127.0.0.1,localhost"}
"""No profile of the user's is read, and no proxy is asked for this machine."""

Show = Callable[[str], str | None]


class StoryError(Exception):
    """The story broke off: what failed, and the end of what it said."""

    def __init__(self, what: str, tail: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.tail = tail


def every_line(line: str) -> str | None:
    """Show all that a command says."""
    return line


def _first_line(line: str) -> str | None:
    """Of a local cloud that is up: where. What it leaves out, `orchestrate local up` and the docs say."""
    return line if line.startswith("The local cloud ") else None


def nothing(_line: str) -> str | None:
    """Show nothing of it."""
    return None


@dataclass(slots=True)
class Stage:
    """`folder` holds everything; `cloud` is the local cloud's own folder."""

    folder: Path
    cloud: Path
    name: str
    speed: float
    environ: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    chapter_number: int = 0

    def elapsed(self) -> str:
        """Since the start, as `m:ss`."""
        seconds = int(time.monotonic() - self.started)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def chapter(self, title: str) -> None:
        """A new part of the story begins."""
        self.chapter_number += 1
        click.echo()
        click.secho(f"[{self.elapsed()}] {self.chapter_number}. {title}", bold=True)

    def say(self, line: str) -> None:
        """A line of the story."""
        click.echo(f"       {line}")

    def up(self, environ: Mapping[str, str]) -> None:
        """The cloud is up; what runs from now on, this process included, sees it and no other."""
        own = {key: value for key, value in environ.items() if key in _KEPT or not key.startswith(_OURS)}
        self.environ = own | _ALONE
        for key in set(os.environ) - set(self.environ):
            del os.environ[key]
        os.environ.update(_ALONE)
        where = ("--name", self.name, "--dir", str(self.cloud))
        # Not from our folder: what still works in there at the end is killed, and a cloud is taken down properly.
        up = ("local", "up", "--speed", f"{self.speed:g}", "--page", "3", *where)
        self.orchestrate(*up, cwd=Path.cwd(), show=_first_line)
        self.environ |= client.ask(client.require(self.cloud), "env")
        # AWS's clock runs faster here, so one looks at it more often.
        self.environ["ORCHESTRATE_POLL"] = "1"

    def orchestrate(self, *arguments: str, cwd: Path | None = None, show: Show = every_line) -> list[str]:
        """Run our own command line, as a person would. Returns what it said."""
        command = [sys.executable, "-P", "-m", "orchestrator", *arguments]
        return self.run(command, shlex.join(["orchestrate", *arguments]), cwd, show)

    def run(self, command: Sequence[str], shown: str, cwd: Path | None = None, show: Show = every_line) -> list[str]:
        """Run a command, `shown` as a person would type it (empty: not at all), its output as it comes.

        Raises StoryError if it fails.
        """
        if shown:
            click.secho(f"       $ {shown}", fg="cyan")
        process = subprocess.Popen(
            command,
            cwd=cwd or self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches it once, through us
        )
        lines: list[str] = []
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                if (text := show(lines[-1])) is not None:
                    self.say(f"| {text}")
            status = process.wait()
        except BaseException:  # also Ctrl-C: no command of the story outlives it
            _stop(process)
            raise
        if status:
            raise StoryError(f"`{shown or shlex.join(command)}` failed with exit status {status}", lines[-TAIL:])
        return lines

    def close(self) -> None:
        """End everything that was started here and remove everything that was made here."""
        _end_those_in(self.folder)
        client.down(self.cloud)
        shutil.rmtree(self.folder, ignore_errors=True)


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask it to end, as Ctrl-C would; what does not is killed."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end_those_in(folder: Path) -> None:
    """Kill processes that work in the folder: a terraform outlives who started it, and its cloud is about to go."""
    import psutil  # noqa: PLC0415 - `orchestrate --help` must not pay for it

    inside = str(folder.resolve())
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and (process.cwd() + "/").startswith(inside + "/"):
                process.kill()
        except psutil.Error:
            continue  # it ended meanwhile, or is not ours


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the story alike: the first is a KeyboardInterrupt, more of them are ignored."""

    def interrupt(_number: int, _frame: object) -> None:
        _ignore()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """No signal cuts the cleaning up short: it is bounded, and half of it would leave a cloud running."""
    before = _ignore()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore() -> dict[signal.Signals, Any]:
    """Returns the handlers so far."""
    return {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}


def set_up(folder: Path, *, keep: bool, speed: float) -> Stage:
    """A stage in an empty folder. To be kept, the cloud is where `orchestrate local …` looks by itself."""
    folder.mkdir(parents=True, exist_ok=True)
    cloud = state.folder_of("default", None) if keep else folder / "cloud"
    return Stage(folder=folder, cloud=cloud, name="default", speed=speed)
