"""Vespa from inside: what its instance says is read, and how its container was made is found in user_data."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.aws.ssm import CommandOutput, ScriptFailed
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.index import report
from orchestrator.index.report import IndexReport
from orchestrator.index.vespa import PROVIDER as VESPA
from orchestrator.stack.indexes import Vespa
from tests.shells import OneByOne
from tests.unit.rollout.test_tail import NOW

RUN = "docker run -d --name vespa --restart unless-stopped"
USER_DATA = Path(__file__).parents[3] / "terraform" / "modules" / "index" / "vespa.sh.tftpl"


def test_the_container_of_our_own_stack_can_be_made_again() -> None:
    filled = re.sub(r"\$\{image\}", "vespaengine/vespa:8.609.39", USER_DATA.read_text(encoding="utf-8"))
    words = VESPA.recipe(filled)
    assert words[:2] == ("docker", "run")
    assert words[-1] == "vespaengine/vespa:8.609.39"
    assert {"--detach", "unless-stopped", "8081:8081", "/opt/vespa/var:/opt/vespa/var"} <= set(words)


def test_comments_and_other_containers_are_passed_over() -> None:
    text = f"# {RUN} vespa:1\ndocker run -d --name other vespa:2\n  {RUN} vespa:3 # the one\n"
    assert VESPA.recipe(text) == (*RUN.split(), "vespa:3")


@pytest.mark.parametrize(
    ("user_data", "why"),
    [
        ("", "no `docker run"),
        ("#!/bin/bash\ndnf install -y docker\n", "no `docker run"),
        (f"{RUN} 'vespa:8", "no `docker run"),
        (f"{RUN} vespaengine/vespa:latest", "not pinned"),
        (f"{RUN} vespaengine/vespa", "not pinned"),
        (f"{RUN} -e MODE=$MODE vespaengine/vespa:8.1", "shell's variables"),
        (f"{RUN} vespaengine/vespa:8.1 > /var/log/start", "shell's variables"),
        (f"{RUN} --env API_TOKEN=hunter2 vespaengine/vespa:8.1", "holds a secret"),
        (f"{RUN} --env=DB_PASSWORD=hunter2 vespaengine/vespa:8.1", "holds a secret"),
        (f"{RUN.replace('-d ', '')} vespaengine/vespa:8.1", "does not detach"),
    ],
)
def test_a_container_that_is_not_made_again(user_data: str, why: str) -> None:
    said = VESPA.recipe(user_data)
    assert isinstance(said, str)
    assert why in said
    assert "hunter2" not in said


def test_a_digest_is_pinned() -> None:
    assert VESPA.recipe(f"{RUN} vespaengine/vespa@sha256:{'0a' * 32}")[-1].startswith("vespaengine/vespa@")


def test_what_docker_says() -> None:
    line = (
        '{"dockerd": true, "booting": false, "healthy": false, "pulled": true, '
        '"container": {"state": "running", "exit_code": 0, '
        '"started": "2026-11-25T12:00:00.123456789Z", "image": "vespaengine/vespa:8", "ports": {"8081/tcp": '
        '[{"HostIp": "", "HostPort": "8081"}], "19071/tcp": [{"HostIp": "0.0.0.0", "HostPort": "19071"}], "9/tcp": null'
        "}}}"
    )
    started = datetime(2026, 11, 25, 12, 0, 0, 123456, UTC)
    assert report.read(line) == IndexReport(
        healthy=False, started=started, image="vespaengine/vespa:8", ports=(8081, 19071)
    )
    absent = '{"dockerd": true, "booting": true, "healthy": false, "pulled": false, "container": {"state": "absent"}}'
    assert report.read(absent) == IndexReport(state="absent", booting=True, healthy=False, pulled=False)


@dataclass(frozen=True)
class Shell(OneByOne):
    """An instance whose commands end as given."""

    ends: CommandOutput | OrchestratorError

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        if isinstance(self.ends, OrchestratorError):
            raise self.ends
        return self.ends


def ended(stdout: str, exit_code: int = 0) -> CommandOutput:
    return CommandOutput(stdout, "", exit_code, "Success" if exit_code == 0 else "Failed", "command")


VESPAS = {"a": Vespa(instance_id="i-0a", host="10.0.0.1")}


@pytest.mark.parametrize("stdout", ["", "bash: docker: command not found", "{}", '{"dockerd": true}'])
def test_an_instance_without_the_usual_words_claims_nothing(stdout: str) -> None:
    assert VESPA.look(Shell(ended(stdout)), VESPAS, who="test").results == {"a": None}
    failed = ScriptFailed(Problem("script-failed", stdout), ended(stdout, 1))
    assert VESPA.look(Shell(failed), VESPAS, who="test").results == {"a": None}


class OneOffline(Shell):
    """The agent of one instance does not answer."""

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        if instance_id == "i-0a":
            raise Transient(Problem("runner-offline", "no agent"))
        return super().run(instance_id, script, comment=comment, timeout=timeout)


def test_an_instance_that_may_answer_the_next_time_is_asked_again_and_holds_up_no_other() -> None:
    both = {**VESPAS, "b": Vespa(instance_id="i-0b", host="10.0.0.2")}
    seen = VESPA.look(OneOffline(ended("{}")), both, who="test")
    assert seen.results == {"b": None}
    assert isinstance(seen.failures["a"], Transient)


def test_lines_of_a_log_and_when_they_were_written() -> None:
    said = VESPA.logs(Shell(ended("2026-11-25T12:00:00.123456789Z hello\nhalf a line\n")), VESPAS, NOW)
    assert said == {"a": [("2026-11-25T12:00:00.123+00:00", "hello"), ("", "half a line")]}


def test_why_a_log_can_not_be_had() -> None:
    gone = ended("Error response from daemon: No such container: vespa", 1)
    said = VESPA.logs(Shell(ScriptFailed(Problem("script-failed", "exit 1"), gone)), VESPAS, NOW)["a"]
    assert isinstance(said, Problem)
    assert (said.code, said.message) == ("vespa-log-unreadable", gone.stdout)
    assert said.fix
    other = Problem("access-denied", "not you")
    assert VESPA.logs(Shell(OrchestratorError(other)), VESPAS, NOW) == {"a": other}


DOCKER = r"""#!/bin/bash
[ "$1" = inspect ] && echo "$3" | sed -e 's/{{.State.ExitCode}}/0/' -e 's/{{json .HostConfig.PortBindings}}/{}/' \
  -e 's/{{.State.StartedAt}}/2026-11-25T12:00:00Z/' -e 's/{{.State.Status}}/running/' -e 's/{{.Config.Image}}/vespa:8/'
exit 0
"""


def test_what_its_script_prints_can_be_read(tmp_path: Path) -> None:
    """With bash in earnest, and a docker that fills in the template it is given."""
    for name, text in {"docker": DOCKER, "curl": "#!/bin/bash\nexit 7\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    class Bash(OneByOne):
        def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
            environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
            done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=environment)
            return ended(done.stdout)

    seen = VESPA.look(Bash(), VESPAS, who="test").results["a"]
    assert seen is not None
    assert (seen.state, seen.image, seen.healthy, seen.dockerd) == ("running", "vespa:8", False, True)
