"""The demo where there is no Terraform, as a person runs it; with Terraform it is CI's last step."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.cloud


@pytest.fixture
def nowhere() -> Iterator[Path]:
    """An empty folder for all temporary files, open to the user that PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="demo-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def environment(nowhere: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(nowhere), "TERRAFORM_BIN": str(nowhere / "no-terraform")}


def demo(nowhere: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "orchestrator", "demo", "--speed", "100"]
    return subprocess.Popen(
        command,
        env=environment(nowhere),
        cwd=nowhere,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_with(variables: Mapping[str, str]) -> list[str]:
    """Command lines of the processes that have this TMPDIR: all that the demo ever started has it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == variables["TMPDIR"]:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def assert_nothing_is_left(nowhere: Path) -> None:
    assert processes_with({"TMPDIR": str(nowhere)}) == []
    assert list(nowhere.iterdir()) == []


def test_without_terraform_it_says_so_and_shows_the_workflow(nowhere: Path) -> None:
    running = demo(nowhere)
    said, _ = running.communicate()
    assert running.returncode == 0, said
    assert said.count("no Terraform, so the same stack is built through the API instead") == 1
    assert "demo.vigilon.app is DOWN" in said
    assert "https://demo.vigilon.app (200)" in said
    assert "https://customer-b.vigilon.app (200)" in said
    assert "changed: 0 (succeeded" in said
    assert "psql \\l       onyx_customer_a (owner onyx_customer_a)" in said
    assert_nothing_is_left(nowhere)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_takes_everything_down(nowhere: Path, number: signal.Signals) -> None:
    running = demo(nowhere)
    assert running.stdout
    before = []
    for line in iter(running.stdout.readline, ""):
        before.append(line)
        if "orchestrate run" in line:
            break
    running.send_signal(number)
    for line in iter(running.stdout.readline, ""):
        before.append(line)
        if "interrupted" in line:
            running.send_signal(signal.SIGTERM)  # an impatient person must not be left with half a cloud
            break
    after = running.stdout.read()
    assert running.wait() == 130, "".join(before) + after
    assert "interrupted" in "".join(before)
    assert_nothing_is_left(nowhere)
