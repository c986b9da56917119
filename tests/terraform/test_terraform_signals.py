"""Locks, signals, deaths and secrets of the real terraform: everything stands on `terraform_data` and local-exec."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.errors import Interrupted
from orchestrator.terraform import (
    StateLocked,
    StreamLine,
    Terraform,
)
from tests.terraform.offline import Stack, environment, left_behind, on_both, stack
from tests.waiting import PATIENCE, until

__all__ = ["environment", "stack"]  # fixtures
pytestmark = pytest.mark.terraform
SECRET = 'canary-Zq7 "quoted" ${x} ü'

# Begins, then waits for the file `go`: the test decides when it goes on.
GATED = """
resource "terraform_data" "early" {}
resource "terraform_data" "gated" {
  triggers_replace = terraform_data.early.id
  provisioner "local-exec" {
    command = "echo begun; touch begun; until test -e go; do sleep 0.05; done"
  }
}
resource "terraform_data" "after" {
  input = terraform_data.gated.id
}
output "finished" { value = terraform_data.after.output }
"""
APPLY_AND_WAIT = """
import os, sys
from orchestrator.terraform import PlanOptions, Terraform
terraform = Terraform(sys.argv[1], os.environ)
with terraform.plan(PlanOptions(variables=os.environ.get("GIVEN", "").splitlines())) as plan:
    terraform.apply(plan, lambda said: print(said.kind, said.message, flush=True))
print("finished")
"""


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a test's own: their whole groups are gone when it ends."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_locked_state_names_its_holder(stack: Stack) -> None:
    terraform = stack(GATED)
    told: list[StateLocked] = []

    def meanwhile(said: StreamLine) -> None:
        if said.message == "begun":
            with pytest.raises(StateLocked) as caught, terraform.plan():
                pass
            told.append(caught.value)
            (terraform.directory / "go").touch()

    with terraform.plan() as plan:
        terraform.apply(plan, meanwhile)
    (locked,) = told
    assert locked.lock.id
    assert locked.lock.who
    assert locked.lock.operation == "OperationTypeApply"
    assert locked.lock.created
    assert locked.problems[0].code == "state-locked"
    assert left_behind(terraform) == []


@on_both
def test_one_interrupt_ends_it_cleanly(stack: Stack) -> None:
    terraform = stack(GATED)
    said: list[str] = []

    def stop(one: StreamLine) -> None:
        said.append(one.message)
        if one.message == "begun":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught, terraform.plan() as plan:
        terraform.apply(plan, stop)
    assert caught.value.problems[0].code == "interrupted"
    assert not any("Two interrupts" in message for message in said)
    assert "terraform_data.early" in json.dumps(terraform.state())
    with terraform.plan() as after:
        # The lock is free, and what had begun is known to the state: tainted, so replaced.
        assert after.has_changes
    assert left_behind(terraform) == []


def test_interrupts_may_be_asked_for_by_a_flag(stack: Stack) -> None:
    terraform = stack(GATED)
    begun = terraform.directory / "begun"
    with pytest.raises(Interrupted), terraform.plan() as plan:
        terraform.apply(plan, interrupts=begun.exists)
    with terraform.plan():
        pass


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_provisioner_started_does_not_outlive_an_interrupt(stack: Stack, times: int) -> None:
    # Terraform kills the shell of a local-exec, and only that.
    terraform = stack(
        'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n'
        "    command = \"(trap '' INT; exec sleep 300) & echo $! > pid; touch begun; wait; wait\"\n  }\n}\n"
    )
    begun = terraform.directory / "begun"
    with pytest.raises(Interrupted), terraform.plan() as plan:
        terraform.apply(plan, interrupts=lambda: times * begun.exists())
    pid = int((terraform.directory / "pid").read_text())
    until("the process is gone", lambda: not is_running(pid))
    with terraform.plan():
        pass


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def start(terraform: Terraform, given: str, running: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", APPLY_AND_WAIT, str(terraform.directory)],
        env=terraform.environment | {"GIVEN": given},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running.append(process)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line == "provision_progress begun\n":
            return process
    raise AssertionError(f"it ended too early: {said}")


def test_a_ctrl_c_in_the_terminal_reaches_terraform_once(stack: Stack, running: list[subprocess.Popen[str]]) -> None:
    terraform = stack(GATED)
    process = start(terraform, "", running)
    # A terminal signals the whole foreground group.
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert "[interrupted]" in printed
    assert printed.count("Interrupt received") == 1
    assert "Two interrupts" not in printed
    with terraform.plan() as plan:
        assert plan.has_changes
    assert left_behind(terraform) == []


def test_terraform_survives_our_death(stack: Stack, running: list[subprocess.Popen[str]]) -> None:
    terraform = stack(GATED)
    process = start(terraform, "", running)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert terraform.outputs() == {}
    (terraform.directory / "go").touch()
    until("terraform finishes by itself", terraform.outputs)
    until("the lock is freed", lambda: not list(terraform.directory.glob(".*.lock.info")))
    with terraform.plan() as plan:
        assert not plan.has_changes
    assert left_behind(terraform) == []


def test_a_value_is_neither_in_argv_nor_left_on_disk(stack: Stack, running: list[subprocess.Popen[str]]) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("the command lines of other processes are read from /proc")
    terraform = stack(
        GATED + 'variable "password" {\n  type = string\n  ephemeral = true\n}\n'
        'variable "more" {\n  type = list(string)\n  ephemeral = true\n}\n'
    )
    recorder, record = terraform.directory / "recorder", terraform.directory / "record"
    recorder.write_text(f"#!/bin/sh\necho \"$@\" >> '{record}'\nexec '{terraform.binary}' \"$@\"\n")
    recorder.chmod(0o700)
    terraform.environment["TERRAFORM_BIN"] = str(recorder)
    quoted = json.dumps(SECRET).replace("${", "$${")
    process = start(terraform, f"password={SECRET}\nmore=[{quoted}]", running)
    command_lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if readable(file)]
    assert any(b"apply\0-input=false\0-json" in line for line in command_lines)
    assert not any(b"canary-Zq7" in line for line in command_lines)
    (terraform.directory / "go").touch()
    printed, _ = process.communicate(timeout=PATIENCE)
    assert printed.endswith("finished\n")
    assert "canary-Zq7" not in printed
    assert [line.split()[0] for line in record.read_text().splitlines()] == ["plan", "apply"]
    written = [
        file for root in (terraform.directory, Path(terraform.environment["TMPDIR"])) for file in root.rglob("*")
    ]
    assert not [file for file in written if file.is_file() and b"canary-Zq7" in file.read_bytes()]


def readable(file: Path) -> bool:
    try:
        file.read_bytes()
    except OSError:
        return False
    return True


def test_a_broken_display_does_not_break_the_apply(stack: Stack) -> None:
    terraform = stack(GATED)

    def broken(said: StreamLine) -> None:
        if said.message == "begun":
            (terraform.directory / "go").touch()
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError), terraform.plan() as plan:
        terraform.apply(plan, broken)
    with terraform.plan() as after:
        assert not after.has_changes
