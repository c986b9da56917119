"""OpenSearch from inside: what a node answers, and what is made of it, with bash in earnest."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.aws.ssm import CommandOutput, ScriptFailed
from orchestrator.errors import Problem
from orchestrator.index.opensearch import PROVIDER, TROUBLES
from orchestrator.index.provider import TOGETHER
from orchestrator.index.report import IndexReport
from orchestrator.stack.indexes import OpenSearch
from tests.shells import OneByOne

DOCKER = r"""#!/bin/bash
[ "$1" = inspect ] && echo "$3" | sed -e 's/{{.State.ExitCode}}/0/' -e 's/{{json .HostConfig.PortBindings}}/{}/' \
  -e 's/{{.State.StartedAt}}/2026-11-25T12:00:00Z/' -e 's/{{.State.Status}}/STATE/' -e 's/{{.Config.Image}}/o:3/'
exit 0
"""
CURL = r"""#!/bin/bash
[ "$(cat)" = 'user = "admin:S3cret-\"ü"' ] || { echo; printf 401; exit 0; }
case "$*" in
  *_cluster/health*) printf '{"status":"COLOUR"}\n200' ;;
  *_count*) printf '{"count":7,\n"_shards":{}}' ;;
  *_cat/allocation*) printf '[{"disk.percent":"41"},{"disk.percent":null}]' ;;
esac
"""


def secret(name: str) -> str:
    return f"arn:aws:secretsmanager:us-west-2:123456789012:secret:{name}"


def node(instance: str = "i-0a", name: str = "known") -> OpenSearch:
    return OpenSearch(instance_id=instance, host="10.0.0.1", secret_arn=secret(name))


@dataclass(frozen=True)
class Bash(OneByOne):
    """Instances with doubles of docker, aws and curl; each knows its own id, unless its agent is too old."""

    tools: Path
    tells: bool = True

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        environment = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"}
        if self.tells:
            environment["AWS_SSM_INSTANCE_ID"] = instance_id
        words = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        said = CommandOutput(done.stdout, done.stderr, done.returncode, "Success", "command")
        if done.returncode:
            raise ScriptFailed(Problem("script-failed", done.stderr), said)
        return said


def furnish(tools: Path, *, state: str = "running", colour: str = "green", password: str = 'S3cret-\\"ü') -> None:
    aws = f"""#!/bin/bash\ncase "$*" in *secret:known*) echo '{{"password": "{password}"}}' ;; *) exit 254 ;; esac\n"""
    for name, text in {"docker": DOCKER.replace("STATE", state), "curl": CURL.replace("COLOUR", colour)}.items():
        (tools / name).write_text(text)
    (tools / "aws").write_text(aws)
    for tool in tools.iterdir():
        tool.chmod(0o755)


def seen(tools: Path, name: str = "known") -> IndexReport:
    found = PROVIDER.look(Bash(tools), {"a": node(name=name)}, who="test").results["a"]
    assert found is not None
    return found


@pytest.mark.parametrize("colour", ["green", "yellow"])
def test_a_node_that_is_well(tmp_path: Path, colour: str) -> None:
    furnish(tmp_path, colour=colour)
    found = seen(tmp_path)
    assert (found.state, found.healthy, found.documents, found.disk, found.trouble) == ("running", True, 7, 41, "")


@pytest.mark.parametrize(
    ("world", "name", "trouble"),
    [
        ({"colour": "red"}, "known", "damaged"),
        ({"password": "another"}, "known", "login-refused"),
        ({}, "unknown", "secret-unreadable"),
        ({"state": "exited"}, "unknown", ""),
        ({"colour": "nonsense"}, "known", ""),
    ],
)
def test_what_is_wrong_with_one(tmp_path: Path, world: dict[str, str], name: str, trouble: str) -> None:
    furnish(tmp_path, **world)
    found = seen(tmp_path, name)
    assert (found.healthy, found.documents, found.disk, found.trouble) == (False, None, None, trouble)
    assert trouble in {"", *TROUBLES}


def test_each_instance_is_given_its_own_secret(tmp_path: Path) -> None:
    furnish(tmp_path)
    nodes = {"a": node("i-0a"), "b": node("i-0b", "unknown")}
    found = PROVIDER.look(Bash(tmp_path), nodes, who="test").results
    assert found["a"] is not None
    assert found["b"] is not None
    assert (found["a"].trouble, found["b"].trouble) == ("", "secret-unreadable")


def test_an_agent_that_does_not_say_which_instance_it_is_claims_nothing(tmp_path: Path) -> None:
    furnish(tmp_path)
    nodes = {"a": node("i-0a"), "b": node("i-0b", "unknown")}
    assert PROVIDER.look(Bash(tmp_path, tells=False), nodes, who="test").results == {"a": None, "b": None}


def test_one_command_for_as_many_as_a_script_may_tell_apart() -> None:
    scripts: list[str] = []

    class Counting(OneByOne):
        def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
            scripts.append(script)
            return CommandOutput("", "", 0, "Success", "command")

    nodes = {f"t{number}": node(f"i-{number:04x}", f"s{number}") for number in range(TOGETHER + 1)}
    PROVIDER.look(Counting(), nodes, who="test")
    assert len(scripts) == TOGETHER + 1
    assert len(set(scripts)) == 2
    assert max(map(len, scripts)) < 64_000


def test_the_container_of_our_own_stack_can_be_made_again() -> None:
    template = Path(__file__).parents[3] / "terraform" / "modules" / "index" / "opensearch.sh.tftpl"
    filled = template.read_text(encoding="utf-8").replace("${image}", "opensearchproject/opensearch:3.6.0")
    words = PROVIDER.recipe(filled.replace("${heap}", "2"))
    assert words[:2] == ("docker", "run")
    assert words[-1] == "opensearchproject/opensearch:3.6.0"
    wanted = {"--detach", "unless-stopped", "9200:9200", f"/opt/opensearch/data:{PROVIDER.data}", "/etc/opensearch.env"}
    assert wanted <= set(words)
