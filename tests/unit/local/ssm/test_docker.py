"""The doubles of docker and systemctl end and speak as the originals do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.local.opensearch.node import NodeSetup, OpenSearchNode
from orchestrator.local.ssm.tools import containers, curl, docker, systemctl

Ended = tuple[int, str, str]
Tool = Callable[[str], Ended]
RUN = "docker run -d --name vespa --restart unless-stopped -p 8081:8081 -p 19071:19071 -v /a:/b vespaengine/vespa:8.9"
HEALTH = "curl -sf http://localhost:19071/state/v1/health"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tool:
    monkeypatch.setenv(containers.STATE, str(tmp_path / "containers.state"))
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


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The instance has OpenSearch in place of Vespa. The state file of its container."""
    file = tmp_path / "opensearch.state"
    file.write_text(containers.RUNNING)
    (tmp_path / "vespa.state").write_text(containers.ABSENT)

    def started() -> float | None:
        return containers.changed_at(file).timestamp() if containers.runs(file) else None

    made = OpenSearchNode(NodeSetup(tmp_path / "data", started, lambda: "Str0ng-enough", scaled=lambda _seconds: 0.0))
    monkeypatch.setenv(curl.NODE, str(made.port))
    yield file
    made.close()


HEALTH_OF_NODE = "curl -sS -k -u admin:Str0ng-enough https://localhost:9200/_cluster/health"


@pytest.mark.usefixtures("node")
def test_of_two_containers_each_is_its_own(tool: Tool, tmp_path: Path) -> None:
    assert tool("docker ps --format {{.Names}}")[1] == "opensearch\n"
    assert json.loads(tool(HEALTH_OF_NODE)[1])["status"] == "green"
    assert tool("docker stop opensearch") == (0, "opensearch\n", "")
    assert tool(HEALTH_OF_NODE)[0] == 7
    assert tool("docker start vespa")[0] == 1, "there is none"
    assert tool("docker rm opensearch")[0] == 0
    assert tool("docker ps -a --format {{.Names}}")[1] == ""
    assert tool("docker images -q opensearchproject/opensearch")[1]
    image = "opensearchproject/opensearch:3.6.0"
    run = f"docker run -d --name opensearch -p 9200:9200 --env-file /etc/x -e path.repo=/b {image}"
    assert tool(run)[0] == 0
    assert containers.made(tmp_path / "opensearch.state").environment == ("path.repo=/b",)
    assert json.loads(tool(HEALTH_OF_NODE)[1])["number_of_nodes"] == 1


@pytest.mark.usefixtures("node")
def test_curl_ends_as_curl_does(tool: Tool, tmp_path: Path) -> None:
    assert tool(HEALTH_OF_NODE.replace("-k", ""))[0] == 60
    assert tool(HEALTH_OF_NODE.replace("https", "http"))[0] == 52
    assert tool(HEALTH_OF_NODE.replace("Str0ng", "Wr0ng") + " -f")[0] == 22
    (tmp_path / "user.conf").write_text('user = "admin:Str0ng-enough"\n')
    hidden = (
        f"curl -s -k -K {tmp_path}/user.conf -o {tmp_path}/out -w %{{http_code}} https://localhost:9200/none/_count"
    )
    assert tool(hidden) == (0, "404", "")
    assert json.loads((tmp_path / "out").read_text())["error"]["type"] == "index_not_found_exception"


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
