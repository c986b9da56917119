"""The real command line in a process of its own, forked from one that has imported everything: a third of a second."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli import main

READY = ["orchestrator.cli.status", "orchestrator.cli.edge", "orchestrator.app", "boto3", "tests.unit.cli.command_line"]
PATIENCE = 240.0
"""Seconds: much longer than anything takes, for the machine may have other work."""


@dataclass(frozen=True)
class Said:
    """How it ended, and all it wrote."""

    status: int | None
    text: str


def fresh(argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: bytes = b"") -> Said:
    """The same by a new interpreter: what modules read of the environment when they are imported counts too."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *argv],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        input=stdin,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return Said(done.returncode, (done.stdout + done.stderr).decode(errors="replace"))


def said_by(argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: bytes = b"") -> Said:
    """Run `orchestrate ARGV` in the folder, with exactly this environment (and PATH)."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(READY)
    out, given = folder / "said", folder / "stdin"
    given.write_bytes(stdin)
    variables = {"PATH": os.environ["PATH"], **environment}
    process = server.Process(target=_command, args=(list(argv), str(folder), variables, str(out), str(given)))
    process.start()
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()
        return Said(None, out.read_text(encoding="utf-8", errors="replace"))
    return Said(process.exitcode, out.read_text(encoding="utf-8", errors="replace"))


def _command(argv: list[str], folder: str, variables: dict[str, str], out: str, given: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    written = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    read = os.open(given, os.O_RDONLY)
    for number, target in ((written, 1), (written, 2), (read, 0)):
        os.dup2(number, target)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the child's own
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    status = 1
    try:
        main(argv)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
