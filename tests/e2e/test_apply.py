"""`apply` and `plan`, end to end: the real terraform on a small configuration whose contract is the stack's."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needed
from tests.e2e.stage import COMMAND_SECONDS, Stage
from tests.waiting import until

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

HOOKS = Path(__file__).parents[2] / "hooks"
CONFIGURATION = """
variable "name" {
  type    = string
  default = "first"
}

resource "terraform_data" "thing" {
  input = var.name
}

%s

output "orchestrator" {
  value = jsondecode(file("${path.module}/contract.json"))
}
"""
HOOK = """
module "hook" {
  source   = "./terraform_data"
  contract = jsondecode(file("${path.module}/contract.json"))
  command  = "%s -P -m orchestrator"
}
"""
FAILING = """
resource "terraform_data" "broken" {
  provisioner "local-exec" {
    command = "echo it broke >&2; exit 7"
  }
}
"""
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go-on ]; do sleep 0.1; done"
  }
}
"""


@pytest.fixture(autouse=True)
def _terraform() -> None:
    needed.terraform()


@pytest.fixture
def directory(alive: Stage) -> Iterator[Path]:
    """A Terraform directory of the test's own, about the stack that is up."""
    alive.work.mkdir(exist_ok=True)
    folder = alive.work / "terraform"
    folder.mkdir()
    write(folder, alive)
    yield folder
    shutil.rmtree(folder)


def write(folder: Path, stage: Stage, more: str = "") -> None:
    (folder / "main.tf").write_text(CONFIGURATION % more)
    (folder / "contract.json").write_text(json.dumps(stage.contract))


def arguments(directory: Path, *more: str) -> list[str]:
    return ["--chdir", str(directory), "--database-transport", "direct", "--poll", "0.5", *more]


def test_a_second_apply_changes_nothing(alive: Stage, directory: Path) -> None:
    first = alive.orchestrate("apply", "--auto-approve", "--json", *arguments(directory)).succeeded()
    assert first.of("step-done", "terraform")[0]["changed"] == 1
    second = alive.orchestrate("apply", "--auto-approve", "--json", *arguments(directory)).succeeded()
    assert second.last["changed"] == 0


def test_plan_changes_nothing_and_says_that_there_is_work(alive: Stage, directory: Path) -> None:
    planned = alive.orchestrate("plan", "--json", *arguments(directory))
    assert (planned.status, planned.last["outcome"]) == (6, "pending")
    assert not (directory / "terraform.tfstate").exists()
    alive.orchestrate("apply", "--auto-approve", "--json", *arguments(directory)).succeeded()
    assert alive.orchestrate("plan", "--json", *arguments(directory)).status == 0


def test_the_checklist_after_apply_is_what_the_steps_see(alive: Stage, directory: Path) -> None:
    alive.orchestrate("apply", "--auto-approve", "--json", *arguments(directory)).succeeded()
    asked = ["preflight", "--json", "--chdir", str(directory), "--database-transport", "direct"]
    seen = alive.orchestrate(*asked).succeeded()
    passed = {(one["check"], one["subject"]) for one in seen.of("finding-reported") if one["status"] == "passed"}
    lines = ("tenant-database", "dns-record", "tasks-running", "redeploy", "site")
    assert passed >= {(line, tenant) for line in lines for tenant in alive.contract["tenants"]}
    assert seen.of("step-failed") == []


def test_terraforms_own_flags_pass_through(alive: Stage, directory: Path) -> None:
    (directory / "more.tfvars").write_text('name = "from a file"\n')
    flags = ["-var-file", "more.tfvars"]
    alive.orchestrate("apply", "-auto-approve", "--json", *flags, *arguments(directory)).succeeded()
    assert "from a file" in (directory / "terraform.tfstate").read_text()
    flags = ["-var", "name=given", "-replace", "terraform_data.thing", "-target=terraform_data.thing"]
    alive.orchestrate("apply", "-auto-approve", "--json", *flags, *arguments(directory)).succeeded()
    assert "given" in (directory / "terraform.tfstate").read_text()


def test_a_plan_file_is_applied_as_it_is_and_kept(alive: Stage, directory: Path) -> None:
    terraform = needed.terraform()
    for command in (["init"], ["plan", "-out=the.plan", "-var=name=planned"]):
        subprocess.run([terraform, *command], cwd=directory, capture_output=True, check=True)
    plan = directory / "the.plan"
    alive.orchestrate("apply", str(plan), "--json", *arguments(directory)).succeeded()
    assert "planned" in (directory / "terraform.tfstate").read_text()
    assert plan.exists()
    again = alive.orchestrate("apply", str(plan), "--json", *arguments(directory))
    assert (again.status, again.codes) == (1, {"plan-stale"})


def test_nobody_to_ask(alive: Stage, directory: Path) -> None:
    ended = alive.orchestrate("apply", "--json", *arguments(directory))
    assert (ended.status, ended.codes) == (2, {"approval-needed"})
    assert not (directory / "terraform.tfstate").exists()


def on_a_terminal(stage: Stage, answer: str, *given: str) -> tuple[int, str]:
    """The command on a terminal of its own, answered once it asks."""
    parent, child = pty.openpty()
    command = [sys.executable, "-P", "-m", "orchestrator", *given]
    environment = stage.environment(TERM="dumb")
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment, cwd=stage.work) as process:
        os.close(child)
        said = b""
        while True:
            try:
                heard = os.read(parent, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not heard:
                break
            asked_before = b"Enter a value:" in said
            said += heard
            if b"Enter a value:" in said and not asked_before:
                os.write(parent, answer.encode() + b"\n")
        status = process.wait()
    os.close(parent)
    return status, said.decode()


def test_a_yes_applies_what_was_shown(alive: Stage, directory: Path) -> None:
    status, said = on_a_terminal(alive, "yes", "apply", *arguments(directory))
    assert status == 0, said
    assert "terraform_data.thing will be created" in said
    assert (directory / "terraform.tfstate").exists()


def test_a_no_changes_nothing(alive: Stage, directory: Path) -> None:
    status, said = on_a_terminal(alive, "no", "apply", *arguments(directory))
    assert status == 3, said
    assert "not-approved" in said
    assert not (directory / "terraform.tfstate").exists()


def test_terraform_fails_in_the_middle_and_no_step_runs(alive: Stage, directory: Path) -> None:
    write(directory, alive, FAILING)
    before = alive.world()
    ended = alive.orchestrate("apply", "--auto-approve", "--json", *arguments(directory))
    assert ended.status == 1
    assert {one["step"] for one in ended.events if one["event"] == "step-started"} == {"terraform"}
    assert "Traceback" not in ended.stderr
    assert alive.world() == before


def test_the_state_is_locked_by_another(alive: Stage, directory: Path) -> None:
    write(directory, alive, SLOW)
    slow = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator", "apply", "--auto-approve", *arguments(directory)],
        env=alive.environment(),
        cwd=alive.work,
        stdout=subprocess.DEVNULL,
    )
    until("terraform works", (directory / "started").exists)
    terraform = needed.terraform()
    locked = subprocess.run([terraform, "plan"], cwd=directory, capture_output=True, text=True, check=False)
    second = alive.orchestrate("apply", "--auto-approve", "--json", *arguments(directory))
    (directory / "go-on").touch()
    assert slow.wait(COMMAND_SECONDS) == 0
    assert "lock" in locked.stderr
    assert (second.status, second.last["outcome"]) == (5, "locked")


def test_ctrl_c_during_terraform_leaves_no_lock_and_nothing_running(alive: Stage, directory: Path) -> None:
    write(directory, alive, SLOW)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator", "apply", "--auto-approve", "--json", *arguments(directory)],
        env=alive.environment(),
        cwd=alive.work,
        stdout=subprocess.PIPE,
        text=True,
    )
    until("terraform works", (directory / "started").exists)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=COMMAND_SECONDS)
    assert process.returncode == 130
    assert json.loads(out.splitlines()[-1])["outcome"] == "interrupted"
    assert not (directory / ".terraform.tfstate.lock.info").exists()
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(directory) not in running


def test_the_hook_inside_an_apply_leaves_the_steps_to_it(alive: Stage, directory: Path) -> None:
    shutil.copytree(HOOKS / "terraform_data", directory / "terraform_data")
    write(directory, alive, HOOK % sys.executable)
    before = len(alive.commands())
    ended = alive.orchestrate("apply", "--auto-approve", "--json", *arguments(directory)).succeeded()
    assert len(ended.of("step-started", "services")) == 1
    assert len(alive.commands()) == before
    assert any("started by an orchestrate apply" in one["detail"] for one in ended.of("step-waiting", "terraform"))
