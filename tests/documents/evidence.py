"""A case of tests/cases/preflight as the evidence that items judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from orchestrator import preflight
from orchestrator.engine.step import Blocked, Done, Todo, Verdict, Wait
from orchestrator.errors import Problem
from orchestrator.preflight import Evidence, RunningStack
from tests.documents import reading


def evidence(case: Mapping[str, Any]) -> Evidence:
    """`on` says whether the document is a plan or a state."""
    live = _live(case["live"]) if "live" in case else None
    if case["on"] == "plan":
        found = preflight.from_plan(reading.plan(case["document"], case.get("edit")), live=live)
    else:
        found = preflight.from_state(reading.state(case["document"], case.get("edit")), live=live)
    return replace(found, quotas=case.get("quotas", {}))


def _live(said: Mapping[str, Any]) -> RunningStack:
    verdicts = {
        step: {subject: _verdict(one) for subject, one in subjects.items()}
        for step, subjects in said.get("verdicts", {}).items()
    }
    newest, now = said.get("newest_snapshot"), said.get("now")
    return RunningStack(
        verdicts=verdicts,
        embeddings=said.get("embeddings", {}),
        newest_snapshot=datetime.fromisoformat(newest) if newest else None,
        now=datetime.fromisoformat(now) if now else None,
    )


def _verdict(said: Mapping[str, Any]) -> Verdict:
    if "done" in said:
        return Done(said["done"])
    if "todo" in said:
        return Todo(said["todo"])
    if "wait" in said:
        return Wait(said["wait"])
    return Blocked(Problem(**said["blocked"]))
