"""The doubles of docker and systemctl end and speak as the originals do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.local.ssm.tools import curl, docker, systemctl, vespa

Ended = tuple[int, str, str]
Tool = Callable[[str], Ended]
RUN = "docker run -d --name vespa --restart unless-stopped -p 8081:8081 -p 19071:19071 -v /a:/b vespaengine/vespa:8.9"
HEALTH = "curl -sf http://localhost:19071/state/v1/health"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    monkeypatch.setenv(vespa.STATE, str(tmp_path / "vespa.state"))
    programs = {"docker": docker.main, "systemctl": systemctl.main, "curl": curl.main}

    def run(line: str) -> Ended:
        name, *arguments = line.split()
        status = programs[name](arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_a_container_is_made_once(tool: Tool) -> None:
    assert "already in use" in tool(RUN)[2]
    assert tool("docker rm vespa")[0] == 1, "it runs"
    assert tool("docker rm -f vespa")[0] == 0
    assert tool("docker inspect vespa")[0] == tool("docker logs vespa")[0] == 1
    assert tool(RUN)[0] == 0
    seen = json.loads(tool("docker inspect vespa")[1])[0]
    assert (seen["Config"]["Image"], seen["HostConfig"]["Binds"]) == ("vespaengine/vespa:8.9", ["/a:/b"])
    assert tool("docker inspect -f {{.HostConfig.RestartPolicy.Name}} vespa")[1] == "unless-stopped\n"


def test_what_is_not_published_does_not_answer(tool: Tool) -> None:
    assert tool(HEALTH)[0] == 0
    tool("docker rm -f vespa")
    tool("docker run -d --name vespa -p 8080:8080 vespaengine/vespa:8.9")
    assert tool(HEALTH)[0] == 7


@pytest.mark.parametrize(
    ("line", "status"), [("docker ps", 1), ("docker info", 1), ("docker start vespa", 1), (RUN, 125)]
)
def test_without_its_daemon_docker_does_nothing(tool: Tool, line: str, status: int) -> None:
    assert tool("systemctl stop docker")[0] == 0
    ended, out, err = tool(line)
    assert (ended, out) == (status, "")
    assert "Is the docker daemon running?" in err
    assert tool("systemctl is-active docker") == (3, "inactive\n", "")
    assert tool("systemctl enable --now docker")[0] == tool(HEALTH)[0] == 0, "unless-stopped: the container is back"


def test_a_container_that_was_stopped_stays_stopped(tool: Tool) -> None:
    tool("docker stop vespa")
    tool("systemctl restart docker")
    assert tool("docker inspect -f {{.State.Status}} vespa")[1] == "exited\n"
    assert "not paused" in tool("docker unpause vespa")[2]


def test_logs_by_tail_and_time(tool: Tool) -> None:
    for line in ("docker stop vespa", "docker start vespa", "docker restart vespa"):
        tool(line)
    assert len(tool("docker logs vespa")[1].splitlines()) == 3
    assert tool("docker logs vespa --tail 1")[1] == "Starting services for container\n"
    assert tool("docker logs vespa --tail 0")[1] == ""
    stamp, _, text = tool("docker logs --timestamps --since 1h vespa")[1].splitlines()[0].partition(" ")
    assert (stamp[-1], text) == ("Z", "Stopping services: got SIGTERM")
    assert tool("docker logs vespa --since 2099-01-01T00:00:00Z")[1] == ""


def test_systemctl_knows_one_unit(tool: Tool) -> None:
    assert tool("systemctl start nginx") == (5, "", "Failed to start nginx: Unit nginx not found.\n")
