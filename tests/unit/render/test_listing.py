"""The tables for people: nothing is left out, and what does not fit is cut at the end, not in the middle."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.events import ContainerObserved, Event, LogLine, PartObserved, RunFinished, RunStarted, TaskObserved
from orchestrator.render.redact import redacted
from orchestrator.render.terminal import Terminal

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PARTS = (
    PartObserved(step="status", part="database", state="up", detail="db is available"),
    PartObserved(
        step="status",
        part="tenant",
        subject="customer-b",
        state="failed",
        detail="services: " + "x" * 300,
        running=0,
        desired=2,
        healthy=1,
        targets=3,
        vespa="exited",
        dns="stale",
        site="503",
    ),
)
DEAD = TaskObserved(
    step="tasks",
    subject="customer-b",
    task="0123456789abcdef",
    status="STOPPED",
    created="2026-11-25T10:30:00+00:00",
    stopped="2026-11-25T11:59:48+00:00",
    stop_code="EssentialContainerExited",
    reason="Essential container in task exited",
    code="out-of-memory",
    containers=(
        ContainerObserved(container="api", status="STOPPED", exit_code=137, reason="OutOfMemoryError: killed hunter22"),
        ContainerObserved(container="web", status="STOPPED", exit_code=0),
        ContainerObserved(container="nginx", status="STOPPED"),
    ),
)


def shown(*events: Event, command: str = "status") -> list[str]:
    out = io.StringIO()
    terminal = Terminal(out, lambda: NOW)
    for event in (RunStarted(stack="s", command=command), *events, RunFinished()):
        terminal.emit(event)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_status_ends_with_the_table() -> None:
    *_, head, database, tenant = shown(*PARTS)
    assert head.split() == ["part", "state", "running", "targets", "vespa", "dns", "site", "seen"]
    assert database.split() == ["database", "up", "db", "is", "available"]
    assert tenant.split()[:7] == ["customer-b", "failed", "0/2", "1/3", "exited", "stale", "503"]
    assert tenant.endswith("services: " + "x" * 300)


def test_tasks_are_nothing_but_their_table() -> None:
    head, task, containers = shown(DEAD, command="tasks")
    assert head.startswith("tenant")
    assert task.split(maxsplit=7)[:7] == ["customer-b", "0123456789ab", "STOPPED", "1", "h", "12", "s"]
    assert task.endswith(f"  {DEAD.stop_code}: Essential container in task exited [out-of-memory]")
    assert containers.strip() == "api exit 137 OutOfMemoryError: killed hunter22; web exit 0"


def test_a_line_of_a_log_is_shown_as_it_was_written() -> None:
    line = LogLine(
        step="logs", subject="a", container="api", at="2026-11-25T11:00:00.000+00:00", detail="[bold]x[/]  y"
    )
    (said,) = shown(line, command="logs")
    assert said.endswith(" a api [bold]x[/]  y")


@pytest.mark.parametrize(("at", "shown_as"), [(NOW, "{:%H:%M:%S}"), (NOW - timedelta(days=2), "{:%Y-%m-%d %H:%M:%S}")])
def test_a_line_of_another_day_has_its_date(at: datetime, shown_as: str) -> None:
    line = LogLine(step="logs", subject="a", container="api", at=at.isoformat(), detail="x")
    (said,) = shown(line, command="logs")
    assert said == f"{shown_as.format(at.astimezone())} a api x"


def test_a_terminal_does_not_obey_what_a_container_writes() -> None:
    line = LogLine(
        step="logs", subject="a", container="api", detail="\x1b[31mred\x1b[0m \x1b[2Jgone \x1b]0;title\x07end"
    )
    (said,) = shown(line, command="logs")
    assert (said.startswith("a api red"), "\x1b" in said, "gone" in said) == (True, False, True)


def test_secrets_in_what_containers_say_are_hidden() -> None:
    masked = redacted(DEAD, lambda text: text.replace("hunter22", "***"))
    assert masked.containers[0].reason == "OutOfMemoryError: killed ***"
    assert masked.containers[0].exit_code == 137
