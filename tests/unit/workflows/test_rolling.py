"""Which tenants earlier runs left, of their records; who needs no change; what is said at the end."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.engine.journal import RunRecord
from orchestrator.engine.runner import Ending, Report
from orchestrator.engine.step import STACK, Done, Todo, Wait
from orchestrator.engine.waves import WavePolicy, WavesResult
from orchestrator.errors import Invalid, Outcome, Problem
from orchestrator.workflows import RunOptions
from orchestrator.workflows.rolling import NOT_BEGUN, left_over, quiet_among, told, wave_policy


def record(*lines: tuple[str, str], outcome: str = "failed", command: str = "run") -> RunRecord:
    """A run of which these events (and of whom) are written; an outcome of "" is none."""
    said: list[dict[str, Any]] = [{"event": "run-started", "stack": "prod"}]
    for event, who in lines:
        code = NOT_BEGUN if event == "finding-reported" else ""
        said.append({"event": event, "step": "services", "subject": who, "code": code})
    said += [{"event": "run-finished", "outcome": outcome}] if outcome else []
    return RunRecord("r", tuple(said), header={"command": command})


DONE, FAILED, LEFT = "step-done", "step-failed", "finding-reported"


@pytest.mark.parametrize(
    ("records", "left"),
    [
        ([record((DONE, "a"), (FAILED, "b"))], ("b",)),
        ([record((DONE, "a"), (FAILED, "a"), (DONE, "b"))], ("a",)),
        ([record((FAILED, "b"), (LEFT, "c"), (DONE, "a"))], ("b", "c")),
        ([record((DONE, "b"), outcome="succeeded"), record((FAILED, "b"), (FAILED, "c"))], ("c",)),
        ([record((DONE, "a"), outcome="succeeded"), record((FAILED, "a"))], ()),
        ([record((DONE, "a"), outcome="succeeded", command="backup"), record((FAILED, "a"))], ("a",)),
        ([record((DONE, STACK), (FAILED, STACK), (DONE, "a"))], None),
        ([record((DONE, "a"), outcome="succeeded"), record((FAILED, STACK))], ()),
    ],
    ids=[
        "who failed",
        "who failed in one step of several",
        "who was not begun",
        "who came up later is not left, who was not asked for later is",
        "nobody",
        "other commands tell nothing",
        "what all share failed: all",
        "what all share failed long ago",
    ],
)
def test_who_is_left(records: list[RunRecord], left: tuple[str, ...] | None) -> None:
    assert left_over(records) == left


@pytest.mark.parametrize(
    "records",
    [[], [record((FAILED, "a"), outcome="")], [record((FAILED, "a"), outcome="interrupted")]],
    ids=["no run", "killed", "interrupted"],
)
def test_where_that_is_not_known_it_is_said(records: list[RunRecord]) -> None:
    with pytest.raises(Invalid) as refused:
        left_over(records)
    assert [(one.code, one.fix != "") for one in refused.value.problems] == [("failed-unknown", True)]


@pytest.mark.parametrize(
    ("verdicts", "quiet"),
    [
        ({"dns": {"a": Done("ok"), "b": Todo("point it")}, "services": {"a": Done("up"), "b": Done("up")}}, ("a",)),
        ({"services": {"a": Done("up"), "b": Wait("it boots")}}, ("a",)),
        ({"runner": {STACK: Wait("it boots")}, "services": {"a": Done("up"), "b": Done("up")}}, ()),
        ({"runner": {STACK: Done("online")}, "services": {"a": Done("up"), "b": Done("up")}}, ("a", "b")),
    ],
)
def test_who_needs_nothing(verdicts: Any, quiet: tuple[str, ...]) -> None:
    assert quiet_among(("a", "b"), verdicts) == quiet


def test_the_end_lists_who_failed_and_each_that_was_not_begun() -> None:
    problem = Problem("broken", "it is broken", fix="mend it")
    report = Report({"services": {"b": Ending(Outcome.FAILED, "", problem), "a": Ending(Outcome.SUCCEEDED, "")}})
    said = list(told(WavesResult(report, ("c", "d"), "1 of 2 failed"), 4, "run"))
    assert [(one.subject, one.code, one.detail) for one in said] == [
        ("", "tenants-failed", "1 of 4 tenants failed: b"),
        ("c", NOT_BEGUN, "not started: 1 of 2 failed"),
        ("d", NOT_BEGUN, "not started: 1 of 2 failed"),
    ]
    assert all("run --failed" in one.fix for one in said)


def test_all_defects_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        wave_policy(RunOptions(canaries=("x", "a"), max_parallel=0, stop_after_failures=-1), ("a", "b"))
    assert [one.context for one in refused.value.problems] == ["--max-parallel", "--stop-after-failures", "--canary"]
    assert wave_policy(RunOptions(canaries=("a",), max_parallel=2), ("a", "b")) == WavePolicy(("a",), 2)
