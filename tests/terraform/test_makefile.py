from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.terraform.conftest import ROOT

INCLUDE = ROOT / "hooks" / "orchestrate.mk"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project, whose orchestrate says its arguments and ends with $STATUS."""
    program = tmp_path / "orchestrate"
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit "${STATUS:-0}"\n')
    program.chmod(0o755)
    return tmp_path


def make(project: Path, makefile: str, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    (project / "Makefile").write_text(makefile.replace("INCLUDE", f"include {INCLUDE}"))
    inherited = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ORCHESTRATE", "TENANT", "YES")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    return subprocess.run(
        ["make", "--no-print-directory", "-s", *arguments],
        cwd=project,
        env=environment | {"STATUS": str(status)},
        capture_output=True,
        text=True,
        check=False,
    )


PLAIN = "ORCHESTRATE = ./orchestrate\nINCLUDE\n"


def test_apply_passes_what_it_is_given(project: Path) -> None:
    done = make(project, PLAIN, "apply", "YES=1", "TENANT=customer-a customer-b", "ORCHESTRATE_VAR_FILE=demo.tfvars")
    assert done.stdout == (
        "apply|--chdir|terraform|--tenant|customer-a|--tenant|customer-b|-var-file=demo.tfvars|--auto-approve|"
    )


def test_run_knows_no_terraform_variables(project: Path) -> None:
    done = make(project, PLAIN, "run", "ORCHESTRATE_DIRECTORY=our stack", "ORCHESTRATE_VAR_FILE=demo.tfvars")
    assert done.stdout == "run|--chdir|our stack|"


@pytest.mark.parametrize(
    ("target", "status", "ends"),
    [("plan", 6, 0), ("status", 6, 0), ("plan", 1, 2), ("status", 5, 2), ("apply", 6, 2), ("run", 4, 2), ("run", 0, 0)],
)
def test_pending_is_an_answer_and_all_else_an_error(project: Path, target: str, status: int, ends: int) -> None:
    assert make(project, PLAIN, target, status=status).returncode == ends


def test_a_prefix_keeps_the_projects_own_targets(project: Path) -> None:
    makefile = f"ORCHESTRATE_PREFIX = stack-\nall: apply\napply:\n\t@echo theirs\n{PLAIN}"
    assert make(project, makefile).stdout == "theirs\n"
    assert make(project, makefile, "stack-run").stdout == "run|--chdir|terraform|"


def test_a_bare_make_only_lists_the_targets(project: Path) -> None:
    done = make(project, f"ORCHESTRATE_PREFIX = stack-\n{PLAIN}")
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert names == [
        "orchestrate-help",
        "stack-apply",
        "stack-plan",
        "stack-run",
        "stack-status",
        "stack-doctor",
        "stack-backup",
    ]
