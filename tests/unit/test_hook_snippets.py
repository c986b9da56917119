"""The snippets in hooks/: each can be read by what reads it, and what it calls exists, flags and all."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import hcl2  # type: ignore[import-untyped, unused-ignore]
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from orchestrator.cli import COMMANDS, orchestrate
from orchestrator.errors import Outcome

HOOKS = Path(__file__).parents[2] / "hooks"
YAML = {
    "github-actions/stack.yml": {
        "name",
        True,
        "permissions",
        "concurrency",
        "env",
        "jobs",
    },  # YAML 1.1 reads `on` as true
    "gitlab-ci/stack.gitlab-ci.yml": {"variables", "stages", ".orchestrate", "plan", "apply"},
    "atlantis/repos.yaml": {"repos", "workflows"},
    "pre-commit/.pre-commit-config.yaml": {"repos"},
    "spacelift/config.yml": {"version", "stack_defaults"},
    "env0/env0.yml": {"version", "deploy"},
}
TERRAGRUNT = "terragrunt/terragrunt.hcl"
MAKEFILE = "make/Makefile"
TARGETS = ("plan", "apply", "status", "doctor", "contract")


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def calls(text: str) -> Iterator[list[str]]:
    """Every call of orchestrate in a shell text, as words."""
    for found in re.findall(r"(?:^|[\s;{])orchestrate ([^;|&\n}]+)", text):
        yield shlex.split(found)


def of_make(target: str) -> str:
    done = subprocess.run(
        ["make", "-n", "-f", str(HOOKS / MAKEFILE), target],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    return done.stdout


def all_calls() -> Iterator[tuple[str, list[str]]]:
    for name in YAML:
        for text in strings(yaml.safe_load((HOOKS / name).read_text())):
            yield from ((name, words) for words in calls(text))
    for block in hcl2.loads((HOOKS / TERRAGRUNT).read_text())["terraform"]:
        for hook in (inner for named in block["after_hook"] for inner in named.values()):
            yield TERRAGRUNT, [word.strip('"') for word in hook["execute"]][1:]
    for target in TARGETS:
        yield from ((MAKEFILE, words) for words in calls(of_make(target)))


@pytest.mark.parametrize("name", YAML)
def test_the_file_says_what_its_reader_expects(name: str) -> None:
    assert set(yaml.safe_load((HOOKS / name).read_text())) == YAML[name]


def test_every_snippet_calls_orchestrate() -> None:
    assert {name for name, _ in all_calls()} == {*YAML, TERRAGRUNT, MAKEFILE}


@pytest.mark.parametrize(("name", "words"), list(all_calls()))
def test_the_call_exists(name: str, words: list[str]) -> None:
    command, *arguments = words
    assert command in COMMANDS
    context = click.Context(orchestrate)
    found = orchestrate.get_command(context, command)
    assert found is not None
    # Stand-ins for what the project around a snippet has: its directory, its plan file.
    there = {"$DIRECTORY": str(HOOKS), "infrastructure": str(HOOKS), "$PLANFILE": __file__}
    given = [there.get(word, word) for word in arguments]
    found.make_context(command, given, parent=context)


def test_work_to_do_is_no_error() -> None:
    """Where `plan` or `status` is called, exit status 6 is provided for."""
    pending = str(Outcome.PENDING.status)
    texts = [(HOOKS / "github-actions/stack.yml").read_text(), *(of_make(target) for target in ("plan", "status"))]
    assert all(f"[ $? -eq {pending} ]" in text for text in texts)
    gitlab = yaml.safe_load((HOOKS / "gitlab-ci/stack.gitlab-ci.yml").read_text())
    assert gitlab["plan"]["allow_failure"]["exit_codes"] == [int(pending)]


def test_no_snippet_cuts_an_apply_short() -> None:
    github = yaml.safe_load((HOOKS / "github-actions/stack.yml").read_text())
    assert github["concurrency"]["cancel-in-progress"] is False
    gitlab = yaml.safe_load((HOOKS / "gitlab-ci/stack.gitlab-ci.yml").read_text())
    assert gitlab[".orchestrate"]["interruptible"] is False
