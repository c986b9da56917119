"""Vespa from inside: what its instance says is read, and how its container was made is found in user_data."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator import vespa
from orchestrator.vespa import Inside

RUN = "docker run -d --name vespa --restart unless-stopped"
USER_DATA = Path(__file__).parents[2] / "terraform" / "modules" / "vespa" / "user_data.sh.tftpl"


def test_the_container_of_our_own_stack_can_be_made_again() -> None:
    filled = re.sub(r"\$\{image\}", "vespaengine/vespa:8.609.39", USER_DATA.read_text(encoding="utf-8"))
    words = vespa.recipe(filled)
    assert words[:2] == ("docker", "run")
    assert words[-1] == "vespaengine/vespa:8.609.39"
    assert {"--detach", "unless-stopped", "8081:8081", "/opt/vespa/var:/opt/vespa/var"} <= set(words)


def test_comments_and_other_containers_are_passed_over() -> None:
    text = f"# {RUN} vespa:1\ndocker run -d --name other vespa:2\n  {RUN} vespa:3 # the one\n"
    assert vespa.recipe(text) == (*RUN.split(), "vespa:3")


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
    said = vespa.recipe(user_data)
    assert isinstance(said, str)
    assert why in said
    assert "hunter2" not in said


def test_a_digest_is_pinned() -> None:
    assert vespa.recipe(f"{RUN} vespaengine/vespa@sha256:{'0a' * 32}")[-1].startswith("vespaengine/vespa@")


def test_what_docker_says() -> None:
    line = (
        '{"dockerd": true, "booting": false, "healthy": false, "container": {"state": "running", "exit_code": 0, '
        '"started": "2026-11-25T12:00:00.123456789Z", "image": "vespaengine/vespa:8", "ports": {"8081/tcp": '
        '[{"HostIp": "", "HostPort": "8081"}], "19071/tcp": [{"HostIp": "0.0.0.0", "HostPort": "19071"}], "9/tcp": null'
        "}}}"
    )
    started = datetime(2026, 11, 25, 12, 0, 0, 123456, UTC)
    assert vespa.read(line) == Inside(healthy=False, started=started, image="vespaengine/vespa:8", ports=(8081, 19071))
    absent = '{"dockerd": true, "booting": true, "healthy": false, "container": {"state": "absent"}}'
    assert vespa.read(absent) == Inside(state="absent", booting=True, healthy=False)
