"""What each command shows on terminals of 40, 80 and 120 columns, beside what was looked at and found good.

`RENDER=write pytest tests/unit/render/test_every_command.py` writes tests/cases/render anew: look at what differs.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import click
import pytest
from click.testing import CliRunner

from orchestrator.app.understanding import of_document
from orchestrator.cli import COMMANDS, orchestrate
from orchestrator.cli.fleet import VERBS
from orchestrator.engine.journal import parse
from orchestrator.events import (
    ContainerObserved,
    Event,
    FindingReported,
    LogLine,
    PartObserved,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
    TaskObserved,
)
from orchestrator.fleet import report as fleet
from orchestrator.fleet.engine import OrderStatus
from orchestrator.fleet.file import FleetStack
from orchestrator.fleet.orders import FINISHED, Order, StackResult
from orchestrator.render import contract as contract_tables
from orchestrator.render import history, listing
from orchestrator.render.tables import Sheet, write
from orchestrator.render.terminal import Terminal
from orchestrator.stack import contract

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CASES = Path(__file__).parents[2] / "cases" / "render"
CONTRACT = Path(__file__).parents[1] / "cli" / "contract.json"
WIDTHS = (40, 80, 120)
LONG = "the container exits with 137 again and again; its limit is 512 MiB, and it asked for more each time"

FAILED = StepFailed(
    step="services", subject="customer-b", detail=LONG, code="out-of-memory", fix="raise the task's memory"
)
STEPS: Sequence[Event] = (
    StepStarted(step="database-server", detail="The database server is available"),
    StepDone(step="database-server", detail="db.example is available"),
    StepWaiting(step="services", subject="customer-a", detail="0 of 1 tasks run"),
    StepDone(step="services", subject="customer-a", detail="up", changed=1),
    FAILED,
    FindingReported(step="tenant-databases", detail="onyx_old has no tenant", code="database-orphaned", fix="drop it"),
)
STATIONS: Sequence[Event] = (
    *(
        FindingReported(step="upgrade", subject="customer-b", detail=said, code="upgrade-station")
        for said in ("Onyx copies the documents to OpenSearch (users notice nothing)", LONG)
    ),
    StepWaiting(
        step="documents-copied",
        subject="customer-b",
        detail="600 of about 1200 chunks are copied, 5.0 a second, about 0:02:00 left",
    ),
    FAILED,
)
PARTS: Sequence[Event] = (
    PartObserved(part="database", state="up", detail="db.example is available"),
    PartObserved(part="load-balancer", state="up", detail="active"),
    *(
        PartObserved(
            part="tenant",
            subject=name,
            state=state,
            running=running,
            desired=1,
            healthy=running,
            targets=1,
            vespa="up",
            dns="ok",
            site=site,
            detail=detail,
        )
        for name, state, running, site, detail in (
            ("customer-a", "up", 1, "200", "all is well"),
            ("a-customer-with-a-long-name", "failed", 0, "503", f"services: {LONG}"),
        )
    ),
)
TASKS: Sequence[Event] = (
    TaskObserved(
        step="tasks", subject="customer-a", task="0123456789abcdef", status="RUNNING", created="2026-11-25T11:59:00Z"
    ),
    TaskObserved(
        step="tasks",
        subject="customer-b",
        task="fedcba9876543210",
        status="STOPPED",
        created="2026-11-25T10:30:00+00:00",
        stopped="2026-11-25T11:59:48+00:00",
        stop_code="EssentialContainerExited",
        reason="Essential container in task exited",
        code="out-of-memory",
        containers=(ContainerObserved(container="api", status="STOPPED", exit_code=137, reason="OutOfMemoryError"),),
    ),
)
LINES: Sequence[Event] = (
    LogLine(step="logs", subject="customer-a", container="api", task="0123", at="2026-11-25T11:00:00Z", detail=LONG),
)
FOUND: Sequence[Event] = tuple(
    FindingReported(
        step="doctor",
        subject=subject,
        detail="tasks are killed for want of memory",
        code="out-of-memory",
        severity=severity,
        cause=LONG,
        evidence=("exit code 137", "512 MiB"),
        fix="raise the task's memory in the task definition, then `orchestrate run`",
        root=root,
    )
    for subject, severity, root in (("customer-b", "blocker", ""), ("customer-b", "warning", "out-of-memory"))
)
EVENTS: Mapping[str, tuple[Sequence[Event], str]] = {
    **dict.fromkeys(("apply", "run", "resume", "restore", "pause", "destroy", "backup"), (STEPS, "failed")),
    **dict.fromkeys(("plan", "dns plan"), (STEPS[2:], "pending")),
    **dict.fromkeys(
        ("redeploy", "migrate", "continue", "certificate", "dns apply", "dns undo", "dns check"), (STEPS[2:], "failed")
    ),
    "upgrade": (STATIONS, "failed"),
    "status": (PARTS, "pending"),
    "tasks": (TASKS, "failed"),
    "logs": (LINES, "succeeded"),
    "doctor": (FOUND, "failed"),
    "preflight": (FOUND, "refused"),
}
PROBLEM = {"step": "services", "subject": "customer-b", "code": "out-of-memory", "detail": "", "fix": ""}
ENDED = (
    StackResult("prod-eu", "succeeded", changed=8, seconds=187.2, aws_calls=109),
    StackResult("prod-us", "failed", seconds=61.0, aws_calls=80, problems=({**PROBLEM, "detail": LONG},)),
)
ORDER = OrderStatus("run-1a2b3c4d-1", Order("run", (("prod-eu", "prod-us"),)), FINISHED, 0.0, ENDED)
FLEET = (
    FleetStack("prod-eu", Path("/srv/prod-eu"), labels={"env": "prod"}, environment={"AWS_REGION": "eu-central-1"}),
    FleetStack("staging", Path("/srv/staging"), profile="staging"),
)
FAULTS = (
    {"fault": "missing-database", "title": "a tenant's database is gone", "guide": "Database Does Not Exist"},
    {"fault": "oom", "title": f"a container uses more memory than it may: {LONG}", "guide": ""},
)
AS_IT_IS = {
    **dict.fromkeys(("lock", "unlock", "open", "version"), "a line or two, each of one fact"),
    **dict.fromkeys(
        ("explain", "policy", "fleet policy", "completion", "shell", "demo", "serve"), "a text of another form"
    ),
    **dict.fromkeys(("init", "config"), "the table of `contract`; a table as others, of settings"),
    **dict.fromkeys(("local up", "local fleet", "local down", "local status", "local env", "local fault"), "lines"),
    **dict.fromkeys((f"fleet {verb}" for verb in (*VERBS, "exec", "show", "retry")), "the report of `fleet`"),
    **dict.fromkeys(("fleet submit", "fleet worker", "fleet cancel", "fleet up", "fleet watch"), "lines"),
    **dict.fromkeys(("schedule", "fleet schedule"), "a table as others, of times"),
}
"""Commands that lay nothing out, or nothing of their own."""
SAID: Sequence[Mapping[str, Any]] = (
    {
        "event": "run-opened",
        "command": "apply",
        "run": "20261125T110000Z-abc",
        "options": ["apply", "--timeout", "45m"],
        "user": "ops",
        "host": "runner-1",
        "pid": 4711,
        "why": "the nightly deployment",
        "directory": "/srv/infra",
        "versions": {"orchestrate": "0.1.0"},
    },
    {"event": "run-started", "stack": "onyx-prod", "command": "apply"},
    {"event": "step-failed", "step": "services", "subject": "customer-b", "detail": LONG, "code": "oom"},
    {"event": "run-finished", "outcome": "failed", "changed": 3, "seconds": 187.2},
)
RECORD = "\n".join(
    json.dumps({"time": f"2026-11-25T11:0{minute}:00+00:00", "step": "", "subject": "", "detail": "", **said})
    for minute, said in enumerate(SAID)
).encode()


class OnATerminal(io.StringIO):
    """What is written to a terminal whose width the environment tells."""

    def isatty(self) -> bool:
        return True


def _of_events(command: str) -> Callable[[TextIO], None]:
    def show(out: TextIO) -> None:
        events, outcome = EVENTS[command]
        terminal = Terminal(out, lambda: NOW, colours=False)
        for event in (RunStarted(stack="onyx-prod", command=command), *events, RunFinished(outcome=outcome)):
            terminal.emit(event)

    return show


def _sheet(sheet: Sheet, out: TextIO) -> None:
    write(sheet, out, colours=False)


def _contract(out: TextIO) -> None:
    known = contract.parse(json.loads(CONTRACT.read_text()), "contract.json")
    contract_tables.table(of_document(known, "contract.json"), out, colours=False)


def shown() -> Iterator[tuple[str, Callable[[TextIO], None]]]:
    for command in EVENTS:
        yield command, _of_events(command)
    record = parse("20261125T110000Z-abc", RECORD)
    yield "history", lambda out: history.table([record, record], out, colours=False)
    yield "history RUN", lambda out: history.timeline(record, out, colours=False)
    yield "contract", _contract
    for name, sheet in (
        ("fleet", fleet.table(ENDED)),
        ("fleet stacks", fleet.stacks(FLEET)),
        (
            "fleet list",
            fleet.orders([ORDER]),
        ),
        ("local faults", listing.faults(FAULTS)),
    ):
        yield name, partial(_sheet, sheet)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_every_command_is_shown_or_has_nothing_to_lay_out() -> None:
    leaves = {" ".join(words) for words in every_help() if words} - GROUPS
    assert leaves - {name for name, _ in shown()} == set(AS_IT_IS)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("command", "show"), list(shown()), ids=[name for name, _ in shown()])
def test_it_looks_as_it_did_when_somebody_looked(
    command: str, show: Callable[[TextIO], None], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    out = OnATerminal()
    show(out)
    # What to type next is pinned by its own test.
    seen = "".join(line for line in out.getvalue().splitlines(keepends=True) if not line.startswith("next: "))
    file = CASES / f"{command.replace(' ', '-')}.{width}.txt"
    if os.environ.get("RENDER") == "write":
        CASES.mkdir(exist_ok=True)
        file.write_text(seen, encoding="utf-8")
    assert seen == file.read_text(encoding="utf-8")


GROUPS = {"dns", "fleet", "local"}


def every_help() -> Iterator[tuple[str, ...]]:
    root = click.Context(orchestrate)
    assert isinstance(orchestrate, click.Group)
    yield ()
    for name in COMMANDS:
        yield (name,)
        yield from ((name, part) for part in getattr(orchestrate.get_command(root, name), "commands", {}))


@pytest.mark.parametrize("words", list(every_help()), ids=" ".join)
def test_help_keeps_to_the_width(words: tuple[str, ...]) -> None:
    """But for what can't be broken: an example, which is there to be copied, and a word that is longer."""
    for width in WIDTHS:
        result = CliRunner().invoke(orchestrate, [*words, "--help"], prog_name="orchestrate", terminal_width=width)
        assert result.exit_code == 0
        text, _, _ = result.output.partition("\nExamples:\n")
        wide = [line for line in text.splitlines() if len(line) > max(width, 50)]
        assert [line for line in wide if len(line.split()) > 2 and not line.startswith("Usage:")] == []
