"""The real command line, told by its options and by the runner of CI around it how to show what it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.cli.command_line import said_by

RUN = ("run", "--contract", "missing.json")
"""Ends at once, with one failure."""
GITHUB = {"GITHUB_ACTIONS": "true"}


def run(folder: Path, *options: str, **environment: str) -> str:
    ended = said_by([*RUN, *options], folder=folder, environment=environment)
    assert ended.status == 2
    return ended.text


def test_plain_lines(tmp_path: Path) -> None:
    first, fix, last = run(tmp_path).splitlines()
    assert first[9:].startswith("✗ run ")
    assert "[contract-unreadable]" in first
    assert fix.startswith("           fix: ")
    assert last[9:].startswith("invalid, changed: 0, ")


def test_quiet_says_the_same_of_a_failure(tmp_path: Path) -> None:
    assert len(run(tmp_path, "--quiet").splitlines()) == 3


@pytest.mark.parametrize("option", [("--json",), ("--log-format", "json")], ids=" ".join)
@pytest.mark.parametrize("environment", [{}, GITHUB, {"GITLAB_CI": "true"}], ids=str)
def test_json_is_json_everywhere(tmp_path: Path, option: tuple[str, ...], environment: Mapping[str, str]) -> None:
    events = [json.loads(line) for line in run(tmp_path, *option, **environment).splitlines()]
    assert [event["event"] for event in events] == ["step-failed", "run-finished"]


def test_github_is_recognised_and_told(tmp_path: Path) -> None:
    (tmp_path / "summary.md").touch()
    text = run(tmp_path, **GITHUB, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert "\n::error title=contract-unreadable::" in text
    assert "- `contract-unreadable`" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize("variables", [GITHUB, {"GITLAB_CI": "true"}], ids=str)
def test_a_runner_gets_plain_lines_where_they_are_asked_for(tmp_path: Path, variables: Mapping[str, str]) -> None:
    text = run(tmp_path, "--log-format", "text", **variables)
    assert "::error" not in text
    assert "\x1b[0K" not in text
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize(
    ("variables", "colours"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
    ids=str,
)
@pytest.mark.parametrize("command", [("config",), RUN], ids=" ".join)
def test_colours_as_the_variables_say(
    tmp_path: Path, variables: Mapping[str, str], colours: bool, command: tuple[str, ...]
) -> None:
    text = said_by(command, folder=tmp_path, environment=variables).text
    assert ("\x1b[" in text) is colours
    assert max(map(len, text.splitlines())) < 1000, "what is no terminal is not padded"
