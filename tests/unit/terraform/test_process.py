"""Processes of the shell's: how they are followed and told to stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.terraform.process import ProcessEnd, follow, hand_over

ENVIRONMENT = {"PATH": os.environ["PATH"]}

# Counts the signals it gets, for a while after the first.
COUNTS = (
    "n=0; trap 'n=$((n+1))' INT; echo ready; until [ $n -gt 0 ]; do sleep 0.05; done;"
    " for tick in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; done; echo saved $n"
)
FOLLOW = """
import os, sys
from pathlib import Path
from orchestrator.terraform.process import follow
ended = follow(
    ["bash", "-c", sys.argv[1]],
    directory=Path(),
    environment=os.environ,
    on_line=lambda line: print(line, flush=True),
)
print(ended.status, ended.interrupted)
"""


def run(
    script: str, lines: list[str], directory: Path, asked: list[int] | None = None, private: bool = False
) -> ProcessEnd:
    requests = asked if asked is not None else [0]
    return follow(
        ["bash", "-c", script],
        directory=directory,
        environment=ENVIRONMENT,
        on_line=lines.append,
        interrupts=lambda: requests[0],
        private=private,
    )


def test_lines_arrive_whole_and_in_order(tmp_path: Path) -> None:
    lines: list[str] = []
    ended = run("printf 'one\\ntw'; printf 'o ü\\n'; printf last; echo bad >&2; exit 3", lines, tmp_path)
    assert lines == ["one", "two ü", "last"]
    assert (ended.status, ended.interrupted, ended.complaint) == (3, False, "bad\n")


def test_many_lines(tmp_path: Path) -> None:
    lines: list[str] = []
    run("seq 1 50000", lines, tmp_path)
    assert lines == [str(number) for number in range(1, 50001)]


def test_the_output_is_a_file_and_there_is_no_terminal(tmp_path: Path) -> None:
    lines: list[str] = []
    script = (
        "import os, stat; print([stat.S_ISREG(os.fstat(fd).st_mode) for fd in (1, 2)], os.getsid(0) == os.getpid(),"
        " os.read(0, 1))"
    )
    follow([sys.executable, "-c", script], directory=tmp_path, environment=ENVIRONMENT, on_line=lines.append)
    assert lines == ["[True, True] True b''"]


def test_a_request_becomes_one_sigint_and_the_end_is_awaited(tmp_path: Path) -> None:
    lines: list[str] = []
    asked = [0]

    def hear(line: str) -> None:
        lines.append(line)
        asked[0] = 1

    ended = follow(
        ["bash", "-c", COUNTS],
        directory=tmp_path,
        environment=ENVIRONMENT,
        on_line=hear,
        interrupts=lambda: asked[0],
    )
    assert lines == ["ready", "saved 1"]
    assert (ended.status, ended.interrupted) == (0, True)


def test_a_signal_to_the_whole_group_still_arrives_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FOLLOW, COUNTS], cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # What a terminal does on Ctrl-C.
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.read() == "saved 1\n0 True\n"


def test_keyboard_interrupts_in_the_callback_count(tmp_path: Path) -> None:
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        if line == "ready":
            raise KeyboardInterrupt

    script = "trap 'echo stopping; exit 1' INT; echo ready; while :; do sleep 0.05; done"
    ended = follow(["bash", "-c", script], directory=tmp_path, environment=ENVIRONMENT, on_line=hear)
    assert lines == ["ready", "stopping"]
    assert (ended.status, ended.interrupted) == (1, True)


@pytest.mark.parametrize(
    ("requests", "patience"), [(3, 600.0), (2, 0.2)], ids=["at the third request", "when patience ends"]
)
def test_what_does_not_listen_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: int, patience: float
) -> None:
    monkeypatch.setattr("orchestrator.terraform.process.PATIENCE", patience)
    asked = [0]

    def hear(_line: str) -> None:
        asked[0] = requests

    script = "trap '' INT; echo ready; while :; do sleep 0.05; done"
    ended = follow(
        ["bash", "-c", script],
        directory=tmp_path,
        environment=ENVIRONMENT,
        on_line=hear,
        interrupts=lambda: asked[0],
    )
    assert ended.status == -9


def test_a_broken_display_does_not_stop_the_work(tmp_path: Path) -> None:
    def hear(line: str) -> None:
        raise BrokenPipeError(line)

    with pytest.raises(BrokenPipeError, match="first"):
        follow(
            ["bash", "-c", "echo first; echo second; echo done > result"],
            directory=tmp_path,
            environment=ENVIRONMENT,
            on_line=hear,
        )
    assert (tmp_path / "result").read_text() == "done\n"


@pytest.mark.parametrize("private", [True, False])
def test_private_files(tmp_path: Path, private: bool) -> None:
    run("touch made", [], tmp_path, private=private)
    others = (tmp_path / "made").stat().st_mode & 0o077
    assert (others == 0) is (private or os.umask(os.umask(0o022)) == 0o077)


def test_a_program_of_the_users_gets_its_text_and_no_more_time_than_it_has(tmp_path: Path) -> None:
    def given(script: str, seconds: float) -> int | None:
        return hand_over(["sh", "-c", script], directory=tmp_path, environment=ENVIRONMENT, text="x\n", seconds=seconds)

    assert given("read said; test $said = x && exit 7", 60) == 7
    assert given("exit 0", 60) == 0, "one that reads nothing is no failure"
    assert given("sleep 600 & sleep 600", 0.2) is None
