"""How much is said: `--quiet`, nothing, `--verbose`."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from orchestrator.events import (
    Event,
    FindingReported,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
)
from orchestrator.render.terminal import Terminal, Verbosity

RUN: tuple[Event, ...] = (
    RunStarted(command="run", stack="onyx-prod"),
    StepStarted(step="services", detail="services are up"),
    StepWaiting(step="services", subject="acme", detail="0/1 running"),
    StepDone(step="services", subject="acme", detail="1/1 running"),
    FindingReported(step="lock", detail="an old lock was removed"),
    StepFailed(step="services", subject="apex", detail="no memory", code="out-of-memory", fix="raise it"),
    RunFinished(outcome="failed"),
)
BEGINS, WAITS, IS_DONE = "▸ services", "… services", "✓ services"
ALWAYS = ("✗ services", "fix: raise it", "an old lock was removed", "failed, changed: 0")


@pytest.mark.parametrize(
    ("verbosity", "said"),
    [(Verbosity.QUIET, ()), (Verbosity.NORMAL, (WAITS, IS_DONE)), (Verbosity.VERBOSE, (BEGINS, WAITS, IS_DONE))],
)
def test_what_is_said(verbosity: Verbosity, said: tuple[str, ...]) -> None:
    out = io.StringIO()
    terminal = Terminal(out, lambda: datetime(2026, 11, 30, 3, tzinfo=UTC), verbosity=verbosity)
    for event in RUN:
        terminal.emit(event)
    text = out.getvalue()
    assert {one for one in (BEGINS, WAITS, IS_DONE) if one in text} == set(said)
    assert [one for one in ALWAYS if one not in text] == []
    assert ("orchestrate run: stack onyx-prod" in text) == (verbosity is not Verbosity.QUIET)
