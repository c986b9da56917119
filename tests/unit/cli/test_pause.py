"""The command lines of pause and resume, as far as they need no cloud."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from orchestrator.cli import orchestrate


def test_the_database_server_is_no_single_tenant_s() -> None:
    ended = CliRunner().invoke(orchestrate, ["pause", "--keep-paused", "--tenant", "a"])
    assert ended.exit_code == 2
    assert "--keep-paused" in ended.output


@pytest.mark.parametrize(
    ("command", "words"), [("pause", ["--keep-paused", "--auto-approve"]), ("resume", ["--tenant"])]
)
def test_help(command: str, words: list[str]) -> None:
    ended = CliRunner().invoke(orchestrate, [command, "--help"])
    assert ended.exit_code == 0
    assert all(word in ended.output for word in words)
