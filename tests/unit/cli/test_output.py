"""Commands that only show something: nobody listens, or the disk is full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [
    ["--help"],
    ["version"],
    ["config"],
    ["config", "--json"],
    ["history"],
    ["history", "--json"],
    ["history", "last"],
]


def run(folder: Path, command: list[str], out: int) -> tuple[int, str]:
    records = folder / ".orchestrate" / "runs"
    records.mkdir(parents=True)
    (records / "20260101T000000Z-abc.jsonl").write_text('{"event": "run-opened", "command": "run"}\n' * 2000)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", *command],
        cwd=folder,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=240,
    )
    os.close(out)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nobody_listens(tmp_path: Path, command: list[str]) -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    assert run(tmp_path, command, ours) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_disk_is_full(tmp_path: Path, command: list[str]) -> None:
    status, said = run(tmp_path, command, os.open("/dev/full", os.O_WRONLY))
    assert status == 1
    assert said == "orchestrate: [Errno 28] No space left on device\n"
