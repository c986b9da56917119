"""`orchestrate` alone: where one is and what to do, from local files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.cli import orchestrate
from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import LockOwner
from orchestrator.workflows.caller import StackRef
from orchestrator.workflows.overview import Overview, overview

OWNER = LockOwner(run="r1", command="apply", user="ana", host="laptop", pid=7, since="2026-11-30T03:00:00+00:00")

ADVICE = [
    ({"configured": False}, "change to Terraform's directory"),
    ({"configured": False, "command": "run", "outcome": "invalid"}, "change to Terraform's directory"),
    ({}, "`orchestrate apply`; for a stack that already exists, `orchestrate init` first"),
    ({"command": "apply", "outcome": "unfinished"}, "`orchestrate apply` again: it continues where it stopped"),
    ({"command": "destroy", "outcome": "interrupted"}, "`orchestrate destroy` again: it continues where it stopped"),
    ({"command": "run", "outcome": "expired"}, "`orchestrate run` again: it continues where it stopped"),
    ({"command": "run", "outcome": "failed"}, "`orchestrate doctor` finds the cause"),
    (
        {"command": "run", "outcome": "timed-out"},
        "`orchestrate doctor` finds the cause",
    ),
    ({"command": "run", "outcome": "invalid"}, "follow each `fix` above"),
    ({"command": "apply", "outcome": "succeeded"}, "`orchestrate status` shows whether it is still up"),
    ({"command": "pause", "outcome": "succeeded"}, "`orchestrate resume` brings it back"),
    ({"command": "destroy", "outcome": "succeeded"}, "`orchestrate restore` brings it back from its backup"),
    ({"command": "doctor", "outcome": "succeeded"}, "nothing keeps a site from working"),
    ({"command": "plan", "outcome": "pending"}, "`orchestrate apply` does it"),
    ({"command": "run", "outcome": "failed", "holder": "somebody"}, "a run is in progress"),
]


@pytest.mark.parametrize(("seen", "advice"), ADVICE)
def test_what_to_do_next(seen: Mapping[str, str | bool], advice: str) -> None:
    facts = {"configured": True, **seen}
    assert Overview(directory=Path("/stack"), **facts).advice.startswith(advice)  # type: ignore[arg-type]


def write_record(folder: Path, run: str, command: str, *, outcome: str = "") -> None:
    records = folder / ".orchestrate" / "runs"
    records.mkdir(parents=True, exist_ok=True)
    lines = [
        {"event": "run-opened", "time": "2026-11-30T03:00:00.000+00:00", "run": run, "command": command},
        {"event": "run-started", "time": "2026-11-30T03:00:01.000+00:00", "stack": "onyx-prod"},
        *([{"event": "run-finished", "outcome": outcome, "changed": 1, "seconds": 2.0}] if outcome else []),
    ]
    (records / f"{run}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_of_a_directory_with_nothing_in_it_nothing_is_claimed_and_nothing_is_made(tmp_path: Path) -> None:
    seen = overview(StackRef(tmp_path))
    assert (seen.configured, seen.stack, seen.holder, seen.last) == (False, "", "", "")
    assert list(tmp_path.iterdir()) == []


def test_the_last_run_and_the_stack_it_named(tmp_path: Path) -> None:
    (tmp_path / "main.tf").touch()
    write_record(tmp_path, "20261129T000000Z-aaa", "apply", outcome="succeeded")
    write_record(tmp_path, "20261130T030000Z-bbb", "run")
    seen = overview(StackRef(tmp_path))
    assert (seen.stack, seen.last) == ("onyx-prod", "2026-11-30 03:00:00 UTC, run: unfinished")
    assert seen.advice == "`orchestrate run` again: it continues where it stopped"


def test_who_holds_the_lock(tmp_path: Path) -> None:
    (tmp_path / "main.tf").touch()
    lock = FileLock(tmp_path / "terraform.tfstate.orchestrate.lock")
    assert lock.take(OWNER) is None
    try:
        seen = overview(StackRef(tmp_path))
    finally:
        lock.give_back()
    assert seen.holder == str(OWNER)
    assert overview(StackRef(tmp_path)).holder == ""


@pytest.mark.parametrize("text", ["= nonsense", "timout = 1", "contract = 3"])
def test_a_file_that_cannot_be_read_is_no_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "orchestrate.toml").write_text(text)
    assert overview(StackRef(tmp_path)).stack == ""


def test_it_is_said_in_five_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orchestrate.toml").write_text('[contract]\nstack = "acme"\n')
    result = CliRunner().invoke(orchestrate, [])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == ["directory", "stack", "lock", "last", "next"]
    assert "acme" in result.output
