"""`apply` with the real terraform: several at once, interrupted, asked and not answered."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.journal import RunRecord, records
from tests import needed
from tests.e2e.stage import COMMAND_SECONDS, Stage
from tests.waiting import until

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

CONFIGURATION = """
resource "terraform_data" "thing" {
  provisioner "local-exec" {
    command = "echo made >> made; touch started; while [ ! -e go-on ]; do sleep 0.1; done"
  }
}

output "orchestrator" {
  value = jsondecode(file("${path.module}/contract.json"))
}

output "login" {
  value     = { password = "canary-of-a-sensitive-output", port = 5432 }
  sensitive = true
}
"""


@pytest.fixture
def directory(alive: Stage, tmp_path: Path) -> Path:
    needed.terraform()
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    (tmp_path / "contract.json").write_text(json.dumps(alive.contract))
    return tmp_path


def begin(stage: Stage, directory: Path, *given: str, **how: Any) -> subprocess.Popen[str]:
    options = ("--database-transport", "direct", "--poll", "0.5", *given)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator", "apply", *options],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how},
        env=stage.environment(TERM="dumb"),
        cwd=directory,
        text=True,
    )


def lock(directory: Path) -> FileLock:
    return FileLock(directory / "terraform.tfstate.orchestrate.lock")


def recorded(directory: Path) -> list[RunRecord]:
    return records(directory / ".orchestrate" / "runs")


def test_of_four_applies_at_once_one_changes_something(alive: Stage, directory: Path) -> None:
    (directory / "go-on").touch()
    flags = ("--auto-approve", "--json", "--lock-timeout", "500")
    together = [begin(alive, directory, *flags) for _ in range(4)]
    endings = [process.communicate(timeout=COMMAND_SECONDS) for process in together]
    assert [process.returncode for process in together] == [0] * 4, endings
    assert (directory / "made").read_text() == "made\n"
    assert sorted(record.changed for record in recorded(directory)) == [0, 0, 0, 1]
    intents = [line for record in recorded(directory) for line in record.lines if line["event"] == "change-intended"]
    assert [line["step"] for line in intents] == ["terraform"]
    assert lock(directory).holder() is None


def test_an_interrupted_apply_frees_both_locks_and_says_what_it_left(alive: Stage, directory: Path) -> None:
    process = begin(alive, directory, "--auto-approve", "--json")
    until("terraform is at work", (directory / "started").exists)
    assert lock(directory).holder() is not None
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=COMMAND_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert lock(directory).holder() is None
    assert not (directory / ".terraform.tfstate.lock.info").exists()
    (record,) = recorded(directory)
    assert record.outcome == "interrupted"
    (made,) = [line for line in record.lines if line["event"] == "change-made"]
    assert (made["step"], made["outcome"]) == ("terraform", "interrupted")


def test_ctrl_c_is_an_answer_to_the_question(alive: Stage, directory: Path) -> None:
    parent, child = pty.openpty()
    process = begin(alive, directory, stdin=child, stdout=child, stderr=child)
    os.close(child)
    said = b""
    while b"Enter a value:" not in said:
        said += os.read(parent, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=COMMAND_SECONDS) == 130
    os.close(parent)
    assert lock(directory).holder() is None
    (record,) = recorded(directory)
    assert (record.outcome, record.changed) == ("interrupted", 0)
    assert not (directory / "terraform.tfstate").exists()


def test_a_sensitive_output_is_hidden_from_then_on(alive: Stage, directory: Path) -> None:
    (directory / "go-on").touch()
    flags = ("--auto-approve", "--json")
    assert begin(alive, directory, *flags).wait(timeout=COMMAND_SECONDS) == 0
    contract = json.loads((directory / "contract.json").read_text())
    contract["database"]["instance"] = "canary-of-a-sensitive-output"
    (directory / "contract.json").write_text(json.dumps(contract))
    process = begin(alive, directory, *flags)
    out, err = process.communicate(timeout=COMMAND_SECONDS)
    assert process.returncode == 1
    everything = out + err + "".join(file.read_text() for file in (directory / ".orchestrate").rglob("*.jsonl"))
    assert "canary-of" not in everything
    assert "***" in out
