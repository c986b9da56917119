"""Fixtures for a real terraform that needs no provider: configurations of the built-in `terraform_data`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.terraform import Terraform
from tests import needed

Stack = Callable[[str], Terraform]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a terraform whose temporary files, and ours, go to a folder of the test's."""
    needed.terraform()
    temporary = tmp_path / "temporary files"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return {**inherited, "TMPDIR": str(temporary)}


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
