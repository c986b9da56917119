"""`local up --stack --terraform`: the stack of terraform/, by the real Terraform; the doctor finds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.local.endpoint import client
from orchestrator.local.toolchain import toolchain

pytestmark = [pytest.mark.terraform, pytest.mark.cloud]


def orchestrate(cwd: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ORCHESTRATE_"))}
    command = [sys.executable, "-P", "-m", "orchestrator", *words]
    return subprocess.run(command, cwd=cwd, env={**kept, **more}, capture_output=True, text=True, check=False)


def test_a_stack_by_terraform(tools: toolchain.Toolchain, tmp_path: Path) -> None:
    cloud = tmp_path / "cloud"
    up = ("local", "up", "--dir", str(cloud), "--speed", "300", "--stack", "1", "--terraform")
    try:
        made = orchestrate(tmp_path, *up)
        assert made.returncode == 0, made.stdout + made.stderr
        directory = cloud / "stack" / "terraform"
        assert f"cd {os.path.relpath(directory, tmp_path)}" in made.stdout
        environ = client.ask(client.require(cloud), "env") | {"TERRAFORM_BIN": str(tools.program.path)}
        looked = orchestrate(directory, "doctor", **environ)
        assert (looked.returncode, "nothing wrong found" in looked.stdout) == (0, True), looked.stdout
        again = orchestrate(tmp_path, *up)
        assert (again.returncode, "is there already" in again.stdout) == (0, True)
    finally:
        client.down(cloud)


def test_terraform_is_a_way_to_make_a_stack(tmp_path: Path) -> None:
    refused = orchestrate(tmp_path, "local", "up", "--terraform")
    assert refused.returncode == 2
    assert "give both" in refused.stderr
