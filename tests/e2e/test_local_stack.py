"""`orchestrate local up --stack`: from nothing to a stack that lives, in two commands, and back to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestrator.local.endpoint import client
from tests.e2e.stage import COMMAND_SECONDS

pytestmark = pytest.mark.cloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "cloud"
    yield folder
    client.down(folder)


def orchestrate(
    *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "LOCAL_CLOUD_PAGE") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", *arguments],
        env={**kept, "HOME": str(cwd), **(environ or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )


def test_a_stack_to_play_with(cloud: Path, tmp_path: Path) -> None:
    up = ("local", "up", "--dir", str(cloud), "--speed", "60", "--stack", "3")
    made = orchestrate(*up, cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    stack = cloud / "stack"
    assert f"cd {os.path.relpath(stack, tmp_path)}" in made.stdout
    assert "succeeded" in made.stdout
    assert {one.name for one in stack.iterdir()} == {".orchestrate", "contract.json", "orchestrate.toml"}

    environ = client.ask(client.require(cloud), "env")
    shown = orchestrate("status", "--output", "json", cwd=stack, environ=environ)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    tenants = {one["name"]: one["state"] for one in json.loads(shown.stdout)["items"] if one["part"] == "tenant"}
    assert tenants == {"customer-a": "up", "customer-b": "up", "customer-c": "up"}

    from_there = orchestrate("local", "fault", "missing-database", "--tenant", "customer-b", cwd=stack, environ=environ)
    assert (from_there.returncode, from_there.stdout) == (0, "faults on: missing-database (customer-b)\n")

    before = (stack / "contract.json").read_text()
    again = orchestrate(*up, cwd=tmp_path)
    assert (again.returncode, "is there already" in again.stdout) == (0, True)
    assert (stack / "contract.json").read_text() == before

    assert orchestrate("local", "down", "--dir", str(cloud), cwd=tmp_path).returncode == 0
    assert not cloud.exists()
