"""How long a step usually takes, as the records of earlier runs tell it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.engine.journal import RunRecord, parse
from orchestrator.render.usual import usual_seconds

BEGAN = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def record(services: float, *, command: str = "run", outcome: str = "succeeded", changed: int = 1) -> RunRecord:
    def line(at: float, event: str, **more: Any) -> str:
        return json.dumps({"time": (BEGAN + timedelta(seconds=at)).isoformat(), "event": event, **more})

    lines = (
        line(0, "run-opened", command=command),
        line(1, "step-started", step="services"),
        line(1 + services / 2, "step-done", step="services", subject="a"),
        line(1 + services, "step-done", step="services", subject="b"),
        line(2, "step-started", step="sites"),
        line(900, "run-finished", outcome=outcome, changed=changed, seconds=900),
    )
    return parse("run", "\n".join(lines).encode())


def test_the_median_of_runs_that_succeeded_and_changed_something() -> None:
    records = [
        record(10),
        record(7000, command="pause"),
        record(7000, outcome="failed"),
        record(1, changed=0),
        record(30),
        record(20),
    ]
    assert usual_seconds(records, "run") == {"services": 20.0}, "a step that did not end tells nothing"


def test_only_the_newest_count() -> None:
    assert usual_seconds([*[record(10)] * 5, *[record(99)] * 20], "run") == {"services": 10.0}


def test_without_records_nothing_is_told() -> None:
    assert usual_seconds([], "run") == {}
    garbled = parse("run", b'{"event": "run-finished", "outcome": "succeeded", "changed": 1}\n{"event": "step-done"}')
    assert usual_seconds([garbled], "") == {}
