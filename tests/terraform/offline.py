"""Fixtures for a real terraform that needs no provider: configurations of the built-in `terraform_data`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.local.toolchain import toolchain
from orchestrator.terraform import Terraform
from tests import needed

Stack = Callable[[str], Terraform]


on_both = pytest.mark.parametrize("environment", ["1.11", "1.15"], indirect=True)
"""A test that runs on each Terraform; without it, on the one that is found."""


@pytest.fixture
def environment(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a terraform whose temporary files, and ours, go to a folder of the test's."""
    line = getattr(request, "param", "")
    program = program_of(line) if line else needed.terraform()
    temporary = tmp_path / "temporary files"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return {**inherited, "TMPDIR": str(temporary), "TERRAFORM_BIN": program}


def program_of(line: str) -> str:
    """The terraform of a release line."""
    try:
        found = toolchain.find_program(os.environ, toolchain.tool_folder(os.environ), say=print, release_line=line)
    except Invalid as missing:
        needed.lacks(str(missing))
    return str(found.path)


@pytest.fixture
def stack(tmp_path: Path, environment: dict[str, str]) -> Stack:
    """An initialised Terraform on the given configuration, in a folder with a blank in its name."""

    def make(configuration: str) -> Terraform:
        folder = tmp_path / "a stack"
        folder.mkdir(exist_ok=True)
        (folder / "main.tf").write_text(configuration)
        terraform = Terraform(folder, environment)
        terraform.init()
        return terraform

    return make


def left_behind(terraform: Terraform) -> list[Path]:
    """Temporary files that still exist."""
    return sorted(Path(terraform.environment["TMPDIR"]).rglob("*"))
