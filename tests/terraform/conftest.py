from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Invalid
from orchestrator.local.endpoint import client
from orchestrator.local.toolchain import toolchain
from tests import needed

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Terraform:
    """The real binary on one directory."""

    directory: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.environment["TERRAFORM_BIN"], *arguments],
            cwd=self.directory,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert not ok or done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


def every(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """What all pages of an answer have under `key`: botocore's own paginator, not the product's."""
    return list(client.get_paginator(operation).paginate(**arguments).search(f"{key}[]"))


def clean() -> dict[str, str]:
    """The environment without what would steer terraform."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_", "TF_CLI_AR"))}


@pytest.fixture(scope="session")
def tools() -> toolchain.Toolchain:
    """Skipped by name where terraform or its provider is missing; in CI it must be there."""
    try:
        return toolchain.prepare(clean())
    except Invalid as missing:
        needed.lacks(str(missing))


@pytest.fixture(scope="module", params=["1.11", "1.15"])
def program(request: pytest.FixtureRequest) -> toolchain.Toolchain:
    """Each Terraform, with the null provider; in CI both must be there."""
    try:
        return toolchain.prepare(clean(), release_line=request.param, null=True)
    except Invalid as missing:
        needed.lacks(str(missing))


@pytest.fixture(scope="session")
def terraform_environment(tools: toolchain.Toolchain) -> dict[str, str]:
    return tools.environment({**clean(), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"})


@pytest.fixture(scope="module")
def speed() -> float:
    """How much faster than AWS the local cloud of `stack` is."""
    return 300


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    tools: toolchain.Toolchain,
    terraform_environment: dict[str, str],
    speed: float,
) -> Iterator[Terraform]:
    """A copy of terraform/ and hooks/ beside a local cloud of its own, initialised; the zone is there, as ever."""
    folder = tmp_path_factory.mktemp("stack")
    for part in ("terraform", "hooks"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    running = client.up("terraform", folder / "cloud", speed=speed)
    try:
        environment = terraform_environment | client.ask(running, "env") | tools.choose(folder / "terraform")
        terraform = Terraform(folder / "terraform", environment)
        terraform.run("init", "-no-color")
        yield terraform
    finally:
        client.down(folder / "cloud")
