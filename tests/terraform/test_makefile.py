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


def test_preflight_is_for_the_whole_stack(project: Path) -> None:
    done = make(project, PLAIN, "preflight", "TENANT=customer-a", "ORCHESTRATE_VAR_FILE=demo.tfvars")
    assert done.stdout == "preflight|--chdir|terraform|-var-file=demo.tfvars|"


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
    targets = ["apply", "plan", "preflight", "run", "status", "doctor", "logs", "tasks", "shell", "pause", "resume"]
    targets += ["backup", "destroy", "restore"]
    assert names == ["orchestrate-help", *(f"stack-{target}" for target in targets)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status", "WATCH=1"), "status|--chdir|terraform|--watch|"),
        (
            ("doctor", "FIX=1", "YES=1", "BUNDLE=our case.zip"),
            "doctor|--chdir|terraform|--fix|--auto-approve|--bundle|our case.zip|",
        ),
        (
            ("logs", "OF=vespa", "SINCE=1h", "GREP=?ERROR ?Exception", "CONTAINER=api", "FOLLOW=1", "TENANT=a"),
            "logs|vespa|--chdir|terraform|--tenant|a|--since|1h|--grep|?ERROR ?Exception|--container|api|--follow|",
        ),
        (("tasks",), "tasks|--chdir|terraform|"),
        (("shell", "TENANT=a"), "shell|vespa|--chdir|terraform|--tenant|a|"),
        (("shell", "ON=runner"), "shell|runner|--chdir|terraform|"),
        (("backup", "TENANT=a"), "backup|--chdir|terraform|"),
        (
            ("destroy", "ORCHESTRATE_VAR_FILE=our prod.tfvars", "CONFIRM=onyx-prod", "YES=1"),
            "destroy|--chdir|terraform|-var-file=our prod.tfvars|--confirm|onyx-prod|",
        ),
        (("restore", "MANIFEST=s3://b/1/manifest.json"), "restore|s3://b/1/manifest.json|--chdir|terraform|"),
        (("restore", "YES=1"), "restore|--chdir|terraform|--auto-approve|"),
    ],
)
def test_each_target_passes_what_it_is_given(project: Path, arguments: tuple[str, ...], said: str) -> None:
    assert make(project, PLAIN, *arguments).stdout == said
