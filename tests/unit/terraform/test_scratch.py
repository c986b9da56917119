"""A plan's folder doesn't stay, whatever ends the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.terraform.scratch import Scratch

PLANNING = """
import sys
from pathlib import Path
from orchestrator.terraform.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
(scratch.path / "plan").write_text("in clear")
print(scratch.path, flush=True)
sys.stdin.read()
"""


@contextmanager
def planning(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a plan in its folder; it ends by itself when its input does."""
    argv = [sys.executable, "-c", PLANNING, str(parent)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())


def test_is_private_and_gone_when_deleted(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    assert scratch.path.stat().st_mode & 0o777 == 0o700
    scratch.delete()
    scratch.delete()
    assert not list(tmp_path.iterdir())


def test_is_gone_with_its_process(tmp_path: Path) -> None:
    with planning(tmp_path) as (_, folder):
        assert (folder / "plan").exists()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_the_next_deletes(tmp_path: Path) -> None:
    with planning(tmp_path) as (process, folder):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (folder / "plan").exists()
    scratch = Scratch(tmp_path)
    assert list(tmp_path.iterdir()) == [scratch.path]


def test_what_lives_stays(tmp_path: Path) -> None:
    with planning(tmp_path) as (_, folder):
        Scratch(tmp_path).delete()
        assert (folder / "plan").exists()


def test_what_is_no_folder_of_ours_stays(tmp_path: Path) -> None:
    foreign = tmp_path / "elsewhere"
    foreign.mkdir()
    (tmp_path / "orchestrate-plan-link").symlink_to(foreign)
    (tmp_path / "orchestrate-plan-file").touch()
    Scratch(tmp_path).delete()
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "elsewhere",
        "orchestrate-plan-file",
        "orchestrate-plan-link",
    ]


def test_where_none_can_be_made_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as raised:
        Scratch(tmp_path / "missing")
    (problem,) = raised.value.problems
    assert (problem.code, problem.context) == ("temporary-unwritable", str(tmp_path / "missing"))
    assert "TMPDIR" in problem.fix
