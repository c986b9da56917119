"""scripts/pause-demo.sh, as the guide calls it: a thin call of orchestrate."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "pause-demo.sh"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """An orchestrate that says its arguments and ends with 6."""
    made = tmp_path / "orchestrate"
    made.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 6\n')
    made.chmod(0o755)
    return made


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        ([], "pause|--auto-approve|"),
        (["--chdir", "terraform"], "pause|--auto-approve|--chdir|terraform|"),
        (["--resume"], "resume|"),
        (["--resume", "--tenant", "customer a"], "resume|--tenant|customer a|"),
        (["--status", "--json"], "status|--json|"),
    ],
)
def test_it_calls_orchestrate_and_ends_as_that_does(program: Path, arguments: list[str], called: str) -> None:
    done = subprocess.run(
        [SCRIPT, *arguments],
        env={"PATH": os.environ["PATH"], "ORCHESTRATE": str(program)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (6, called)


def test_on_a_terminal_orchestrate_asks(program: Path) -> None:
    terminal, end = pty.openpty()
    done = subprocess.run(
        [SCRIPT],
        env={"PATH": os.environ["PATH"], "ORCHESTRATE": str(program)},
        stdin=end,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(terminal)
    os.close(end)
    assert done.stdout == "pause|"


def test_help_names_every_use() -> None:
    done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=True)
    for word in ("pause-demo.sh  ", "--resume", "--status", "--help"):
        assert word in done.stdout
    assert "set -eu" not in done.stdout
