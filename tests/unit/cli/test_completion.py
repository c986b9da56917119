"""What a shell is offered, asked as a shell asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def offered(folder: Path, *words: str) -> list[str]:
    """For the last of the words."""
    environment = {
        **os.environ,
        "_ORCHESTRATE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("orchestrate", *words)),
        "COMP_CWORD": str(len(words)),
        "AWS_CONFIG_FILE": str(folder / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
    }
    program = "from orchestrator.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "aws-config").write_text("[profile staging]\nregion = us-west-2\n[profile production]\n")
    (tmp_path / "orchestrate.toml").write_text('[contract.tenants.acme]\nservice = "a"\n[contract.tenants.apex]\n')
    return tmp_path


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["res"], ["restore", "resume"]),
        (["dns", "u"], ["undo"]),
        (["run", "--time"], ["--timeout"]),
        (["run", "--only", "tenant-d"], ["tenant-databases"]),
        (["run", "--tenant", "ac"], ["acme"]),
        (["pause", "--tenant", ""], ["acme", "apex"]),
        (["run", "--profile", "prod"], ["production"]),
        (["explain", "wrong-acc"], ["wrong-account"]),
        (["local", "fault", "oo"], ["oom"]),
        (["local", "up", "--region", "us-gov-"], ["us-gov-east-1", "us-gov-west-1"]),
    ],
    ids=" ".join,
)
def test_names_are_offered(folder: Path, words: list[str], names: list[str]) -> None:
    assert offered(folder, *words) == names


def test_tenants_of_the_last_run_are_offered_where_the_file_names_none(tmp_path: Path) -> None:
    records = tmp_path / ".orchestrate" / "runs"
    records.mkdir(parents=True)
    lines = [
        {"event": "step-done", "step": "services", "subject": "acme"},
        {"event": "step-done", "step": "runner", "subject": ""},
    ]
    (records / "20261130T030000Z-a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert offered(tmp_path, "run", "--tenant", "") == ["acme"]


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", "data/bash-completion/completions/orchestrate"),
        ("zsh", "data/zsh/site-functions/_orchestrate"),
        ("fish", "config/fish/completions/orchestrate.fish"),
    ],
)
def test_it_is_installed_where_the_shell_looks(tmp_path: Path, shell: str, file: str) -> None:
    environment = {
        **os.environ,
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    command = [sys.executable, "-m", "orchestrator", "completion", shell]
    done = subprocess.run([*command, "--install"], env=environment, capture_output=True, text=True, check=True)
    assert str(tmp_path / file) in done.stdout
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert (tmp_path / file).read_text() == printed
    assert "_ORCHESTRATE_COMPLETE" in printed
