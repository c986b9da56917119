from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from orchestrator.cli import orchestrate
from orchestrator.errors import Invalid
from orchestrator.render.explanation import explanation, explanations


def said(*argv: str) -> list[str]:
    result = CliRunner().invoke(orchestrate, ["explain", *argv])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("wrong-account", "use the credentials"),  # a problem
        ("task-out-of-memory", "raise the container's and the task's memory"),  # a finding
        ("[wrong-account]", "use the credentials"),  # copied with its brackets
        ("database-server-stopped", "database"),  # a code that is filled in
    ],
)
def test_a_code_is_explained_with_its_way_out(code: str, part: str) -> None:
    text = "\n".join(said(code))
    assert text.startswith(f"# {code.strip('[]')}\n")
    assert part in text


def test_a_problem_says_nothing_of_its_neighbours() -> None:
    assert "##" not in "".join(explanations().values())
    assert "wrong-password" not in explanation("wrong-account")


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("wrong-acount", "did you mean wrong-account?"),
        ("task-out-of-memry", "did you mean task-out-of-memory?"),
        ("xyzzy", "`orchestrate explain --list` shows every code"),
    ],
)
def test_an_unknown_code_is_answered_with_the_nearest(code: str, fix: str) -> None:
    with pytest.raises(Invalid) as caught:
        explanation(code)
    (problem,) = caught.value.problems
    assert (problem.code, problem.fix) == ("code-unknown", fix)


def test_every_code_is_listed_once_and_in_order() -> None:
    listed = said("--list")
    assert listed == sorted(set(listed))
    assert {"wrong-account", "task-out-of-memory", "access-denied", "database-server-*"} <= set(listed)


def test_as_json() -> None:
    (line,) = said("wrong-account", "--json")
    assert json.loads(line) == {"code": "wrong-account", "text": explanation("wrong-account")}
