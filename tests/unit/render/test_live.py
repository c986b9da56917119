"""A run as it is seen while it lasts: events in, lines out, at three widths; and on a real terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.events import (
    Event,
    ResourceProgress,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
)
from orchestrator.render.live import drawn, span
from orchestrator.render.progress import Progress

BEGAN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
UNTIL = (BEGAN + timedelta(minutes=15)).isoformat()


def resource(address: str, state: str, done: int, action: str = "create") -> ResourceProgress:
    return ResourceProgress(step="terraform", address=address, action=action, state=state, done=done, total=97)


REDIS = "aws_elasticache_replication_group.redis"
TERRAFORM: Sequence[tuple[float, Event]] = (
    (2, StepWaiting(step="terraform", detail="planning")),
    (10, StepStarted(step="terraform")),
    (10, resource("aws_db_instance.main", "started", 0)),
    (11, resource("aws_vpc.main", "started", 0)),
    (12, resource("aws_vpc.main", "done", 1)),
    (13, resource(REDIS, "started", 1)),
    (14, resource("aws_lb.main", "started", 1)),
    (15, resource("aws_s3_bucket.files", "started", 1)),
)
STEPS: Sequence[tuple[float, Event]] = (
    (0, RunStarted(stack="onyx-prod", command="run")),
    (1, StepStarted(step="database-server")),
    (2, StepDone(step="database-server", detail="db is available")),
    (2, StepStarted(step="services")),
    (5, StepWaiting(step="services", subject="globex", detail="1 of 2 tasks runs", until=UNTIL)),
    (3, StepWaiting(step="services", subject="acme", detail="0 of 1 tasks runs;\nimage is pulled " * 8, until=UNTIL)),
    (4, StepDone(step="services", subject="initech", detail="up")),
    (6, StepFailed(step="services", subject="hooli", detail="no task stays up", code="oom")),
)


def picture(
    events: Sequence[tuple[float, Event]],
    at: float,
    *,
    width: int,
    height: int = 40,
    usual: Mapping[str, float] | None = None,
    command: str = "run",
) -> list[str]:
    progress = Progress(command, BEGAN, usual or {})
    for when, event in events:
        progress.take(event, BEGAN + timedelta(seconds=when))
    lines = drawn(progress, BEGAN + timedelta(seconds=at), width=width, height=height)
    return [line.plain.rstrip() for line in lines]


SEEN = {
    40: [
        "run onyx-prod · 47s",
        "✓ database-server 1s  db is available",
        "▸ services 45s · 1/4 · 1 failed · about…",
        "  ✗ hooli   no task stays up",
        "  … acme   44s  0 of 1 tasks runs; imag…",
        "  … globex 42s  1 of 2 tasks runs",
    ],
    80: [
        "run onyx-prod · 47s",
        "✓ database-server 1s  db is available",
        "▸ services 45s · 1/4 · 1 failed · about 1m15s left",
        "  ✗ hooli   no task stays up",
        "  … acme   44s until 12:15  0 of 1 tasks runs; image is pulled 0 of 1 tasks run…",
        "  … globex 42s until 12:15  1 of 2 tasks runs",
    ],
    120: [
        "run onyx-prod · 47s",
        "✓ database-server 1s  db is available",
        "▸ services 45s · 1/4 · 1 failed · about 1m15s left",
        "  ✗ hooli   no task stays up",
        f"  … acme   44s until 12:15  {'0 of 1 tasks runs; image is pulled ' * 2}0 of 1 tasks runs; im…",
        "  … globex 42s until 12:15  1 of 2 tasks runs",
    ],
}


@pytest.mark.parametrize("width", SEEN)
def test_steps_are_a_tree_with_what_each_tenant_waits_for(width: int) -> None:
    assert picture(STEPS, 47, width=width, usual={"services": 120.0}) == SEEN[width]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_terraform_is_counted_and_its_slowest_are_named(width: int) -> None:
    head, step, *slowest = picture(TERRAFORM, 250, width=width, command="apply")
    assert (head, step) == ("apply · 4m10s", "▸ terraform 4m00s · 1/97")
    assert slowest == [
        "  … 4m00s create aws_db_instance.main",
        "  … 3m57s create aws_elasticache_replic…" if width == 40 else f"  … 3m57s create {REDIS}",
        "  … 3m56s create aws_lb.main",
    ]


def test_before_terraform_has_anything_to_count_what_it_does_is_said() -> None:
    assert picture(TERRAFORM[:1], 9, width=80, command="apply") == ["apply · 9s", "▸ terraform 7s  planning"]


def test_a_resource_that_is_done_or_failed_is_under_way_no_more() -> None:
    ended = [*TERRAFORM, (20, resource("aws_lb.main", "failed", 1)), (21, resource("aws_s3_bucket.files", "done", 2))]
    assert [line.split()[-1] for line in picture(ended, 30, width=120)[2:]] == [
        "aws_db_instance.main",
        REDIS,
    ]
    done = [*ended, (40, StepDone(step="terraform", detail="2 added, 0 changed, 0 destroyed"))]
    assert picture(done, 41, width=120)[1:] == [
        "✓ terraform 30s  2 added, 0 changed, 0 destroyed",
        "▸ reading what Terraform made",
    ]
    looks: list[tuple[float, Event]] = [*done, (50, StepStarted(step="sites"))]
    assert picture(looks, 55, width=120)[2:] == ["▸ sites 5s  looking"]


def test_time_passes_where_nothing_is_said() -> None:
    assert picture((), 0, width=80) == ["run · 0s", "▸ looking at what is there"]
    assert picture((), 2, width=80) == ["run · 2s", "▸ looking at what is there"]


def test_what_takes_longer_than_usual_has_no_time_left() -> None:
    assert "left" not in picture(STEPS, 47, width=80, usual={"services": 30.0})[2]
    assert "left" not in picture(STEPS, 47, width=80)[2]


@pytest.mark.parametrize("height", [1, 2, 4, 7, 12, 30])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_ninety_tenants_fit_any_terminal(width: int, height: int) -> None:
    many: list[tuple[float, Event]] = [
        (0.0, RunStarted(stack="s", command="run")),
        *((1.0, StepStarted(step=f"step-{n}")) for n in range(4)),
    ]
    waits: list[tuple[float, Event]] = [
        (2.0 + n, StepWaiting(step=f"step-{n % 4}", subject=f"tenant-{n}", detail="x" * 300, until=UNTIL))
        for n in range(90)
    ]
    lines = picture([*many, *waits], 200, width=width, height=height)
    assert len(lines) <= height
    assert lines[0].startswith("run s")
    assert max(map(len, lines)) <= width
    if height >= 12:
        assert any(re.fullmatch(r"  … and \d+ more", line) for line in lines)


def test_spans() -> None:
    assert [span(one) for one in (-1, 0.9, 59, 60, 187, 3599, 3720)] == [
        "0s",
        "0s",
        "59s",
        "1m00s",
        "3m07s",
        "59m59s",
        "1h02m",
    ]


PROGRAM = """
import sys, time
from datetime import UTC, datetime
from orchestrator.events import *
from orchestrator.render.progress import Progress
from orchestrator.render.terminal import Terminal

def now(): return datetime.now(UTC)
terminal = Terminal(sys.stdout, now, watched=Progress("run", now()))
terminal.emit(RunStarted(stack="onyx", command="run"))
terminal.emit(StepStarted(step="services"))
terminal.emit(StepWaiting(step="services", subject="acme", detail="0 of 1 tasks runs"))
sys.stdin.readline()
with terminal.held():
    print("ASKED", end="", flush=True)
    sys.stdin.readline()
terminal.emit(StepDone(step="services", subject="acme", detail="all is well"))
terminal.emit(RunFinished())
"""


def test_on_a_real_terminal_it_is_drawn_in_its_place_and_only_what_stays_is_left() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-P", "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=theirs, env=environment, bufsize=0) as process:
        os.close(theirs)
        assert process.stdin is not None
        text = _until(ours, b"", r"acme [2-9]s")
        process.stdin.write(b"\n")
        text = _until(ours, text, "ASKED")
        process.stdin.write(b"\n")
        text = _until(ours, text, "next: ")
        process.stdin.close()
        assert process.wait() == 0
    os.close(ours)
    seen = text.decode()
    assert "\x1b[1A" in seen, "drawn in the place of the picture before"
    assert len(set(re.findall(r"acme \d+s", seen))) > 1, "time passes though nothing is said"
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen[seen.rindex("ASKED") :])
    assert "✓ services         acme: all is well" in last
    assert "succeeded, changed: 0" in last


def _until(terminal: int, before: bytes, wanted: str) -> bytes:
    while not re.search(wanted, before.decode(errors="replace")):
        before += os.read(terminal, 65536)
    return before
