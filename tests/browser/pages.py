"""The pages that are looked at: of records of real runs, and of a doctor's look at many tenants."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.engine.journal import RunRecord, parse
from orchestrator.render import report
from orchestrator.render.report import health

RECORDS = Path(__file__).parents[1] / "cases" / "render" / "records"
NAMES = ("good", "failed", "restore", "many")
MANY = 40
AT = "2026-11-30T03:00:00.000+00:00"


def html(name: str) -> str:
    """The page of that name."""
    return report.page(report.of(_many() if name == "many" else _recorded(name)))


def _recorded(name: str) -> RunRecord:
    data = (RECORDS / f"{name}.jsonl").read_bytes()
    return parse(json.loads(data.partition(b"\n")[0])["run"], data)


def _many() -> RunRecord:
    """A doctor's look: two of the tenants are ill, one of them for a cause with a very long word in it."""
    lines = [
        {"event": "run-opened", "time": AT, "command": "doctor", "user": "ana", "host": "laptop"},
        {"event": "run-started", "time": AT, "stack": "onyx-prod"},
        *_findings(),
        *_checked(),
        {"event": "run-finished", "time": AT, "outcome": "failed", "seconds": 4.2, "aws_calls": 61},
    ]
    return parse("", "\n".join(map(json.dumps, lines)).encode())


def _findings() -> Iterator[Mapping[str, Any]]:
    common = {"event": "finding-reported", "time": AT, "step": "doctor", "severity": "blocker"}
    yield {
        **common,
        "check": "databases",
        "subject": "tenant-07",
        "code": "database-missing",
        "detail": "the database onyx_07 does not exist",
        "cause": "it was never created, or dropped",
        "fix": "`orchestrate run --tenant tenant-07`",
        "evidence": ["pg_database: onyx_01, onyx_02"],
    }
    yield {**common, "check": "tasks", "subject": "tenant-07", "code": "x", "root": "database-missing", "detail": "die"}
    yield {
        **common,
        "check": "bucket",
        "subject": "tenant-31",
        "code": "bucket-denied",
        "detail": f"the tasks may not use {'onyx-prod-file-store-' * 12}",
        "cause": "no policy allows it",
        "fix": "allow it",
    }


def _checked() -> Iterator[Mapping[str, Any]]:
    for number in range(MANY):
        for part in (*health.TRUNK, *health.BRANCHES):
            yield {
                "event": "link-checked",
                "part": part,
                "subject": f"tenant-{number:02}",
                "detail": "nothing wrong found",
            }
