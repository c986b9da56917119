"""Every command that lists has the documented shape; read from files alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from orchestrator.cli import orchestrate
from orchestrator.render.document import KINDS, MORE
from tests.unit.cli.command_line import said_by

CONTRACT = Path(__file__).with_name("contract.json")
COMMANDS = {"history": ["history"], "config": ["config"], "contract": ["contract", "--contract", str(CONTRACT)]}
RECORD = (
    '{"schema": 1, "time": "2026-01-01T00:00:00.000+00:00", "event": "run-opened", "command": "run"}\n'
    '{"schema": 1, "time": "2026-01-01T00:00:01.000+00:00", "event": "run-finished", "outcome": "succeeded", '
    '"changed": 2, "seconds": 1.5}\n'
)


def told(folder: Path, command: list[str], form: str) -> Mapping[str, Any]:
    records = folder / ".orchestrate" / "runs"
    records.mkdir(parents=True, exist_ok=True)
    (records / "20260101T000000Z-abc.jsonl").write_text(RECORD)
    ended = said_by([*command, "--output", form], folder=folder, environment={})
    assert ended.status == 0, ended.text
    read: Mapping[str, Any] = json.loads(ended.text) if form == "json" else yaml.safe_load(ended.text)
    return read


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_shape_is_the_documented_one_in_both_forms(tmp_path: Path, kind: str) -> None:
    said = told(tmp_path, COMMANDS[kind], "json")
    assert (said["schema"], said["kind"]) == (1, kind)
    assert list(said) == ["schema", "kind", "items", *MORE.get(kind, {})]
    assert said["items"]
    assert all(list(item) == list(KINDS[kind]) for item in said["items"])
    assert told(tmp_path, COMMANDS[kind], "yaml") == said


def test_the_lines_of_one_run_are_its_items(tmp_path: Path) -> None:
    said = told(tmp_path, ["history", "last"], "json")
    assert (said["kind"], [item["event"] for item in said["items"]]) == ("events", ["run-opened", "run-finished"])


@pytest.mark.parametrize("kind", ["status", "tasks"])
def test_what_could_not_look_says_so_in_its_document(tmp_path: Path, kind: str) -> None:
    ended = said_by([kind, "--contract", "none.json", "--output", "yaml"], folder=tmp_path, environment={})
    said = yaml.safe_load(ended.text)
    assert (ended.status, said["kind"], said["outcome"], said["items"]) == (2, kind, "invalid", [])
    assert [one["code"] for one in said["open"]] == ["contract-unreadable"]


def test_a_folder_without_runs_has_an_empty_list(tmp_path: Path) -> None:
    ended = said_by(["history", "--output", "json"], folder=tmp_path, environment={})
    assert json.loads(ended.text)["items"] == []


def test_everything_that_lists_has_the_option() -> None:
    root = click.Context(orchestrate)
    assert isinstance(orchestrate, click.Group)
    having = set()
    for name in orchestrate.list_commands(root):
        command = orchestrate.get_command(root, name)
        for one in (command, *getattr(command, "commands", {}).values()):
            assert one is not None
            if any(isinstance(option, click.Option) and "--output" in option.opts for option in one.params):
                having.add(one.name)
    assert having == KINDS.keys()
