"""`--json`: standard output is a stream of events that a program can rely on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.errors import Outcome
from tests.e2e.stage import Ended, Stage

pytestmark = pytest.mark.cloud

ALWAYS = {"schema": int, "time": str, "event": str, "step": str, "subject": str, "detail": str, "changed": int}
AT_THE_END = {"outcome": str, "changed": int, "seconds": (int, float), "aws_calls": int}
NAMES = {
    "run-started",
    "step-started",
    "step-waiting",
    "step-done",
    "step-failed",
    "finding-reported",
    "run-finished",
}
TENANTS = {"customer-a", "customer-b"}
PER_TENANT = {"tenant-databases", "stored-data", "redeploy", "services", "dns-records", "sites"}
PER_STACK = {"database-server", "runner", "redis-auth"}


@pytest.fixture(scope="module")
def first(cold: Stage) -> Ended:
    """A run that has everything to do."""
    return cold.direct().succeeded()


def _has(event: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    return all(isinstance(event.get(name), kind) for name, kind in fields.items())


def test_every_line_is_an_event(first: Ended) -> None:
    assert first.stderr == ""
    assert first.stdout.endswith("\n")
    for event in first.events:
        assert _has(event, ALWAYS), event
        assert event["schema"] == 1
        assert event["event"] in NAMES
        assert datetime.fromisoformat(event["time"]).tzinfo == UTC


def test_the_first_and_the_last_event(first: Ended) -> None:
    names = [event["event"] for event in first.events]
    assert (names[0], names[-1]) == ("run-started", "run-finished")
    assert Counter(names)["run-started"] == Counter(names)["run-finished"] == 1
    assert {first.events[0][key] for key in ("stack", "command")} == {"onyx-prod", "run"}
    assert _has(first.last, AT_THE_END)


def test_times_never_run_backwards(first: Ended) -> None:
    times = [datetime.fromisoformat(event["time"]) for event in first.events]
    assert times == sorted(times)


def test_changes_add_up(first: Ended) -> None:
    done = sum(event["changed"] for event in first.events if event["event"] in ("step-done", "step-failed"))
    assert first.last["changed"] == done > 0


def test_every_subject_of_every_step_ends_once(first: Ended) -> None:
    ends = Counter((event["step"], event["subject"]) for event in first.of("step-done"))
    expected = {(step, tenant) for step in PER_TENANT for tenant in TENANTS} | {(step, "") for step in PER_STACK}
    assert ends == Counter(dict.fromkeys(expected, 1))


def test_steps_start_once_and_before_they_say_anything(first: Ended) -> None:
    assert Counter(event["step"] for event in first.of("step-started")) == Counter(
        dict.fromkeys(PER_TENANT | PER_STACK, 1)
    )
    begun: set[str] = set()
    for event in first.events[1:-1]:
        if event["event"] == "step-started":
            begun.add(event["step"])
        assert event["step"] in begun


def test_independent_branches_run_at_the_same_time(first: Ended) -> None:
    """DNS needs neither the database nor Redis: all three begin before any of them has ended."""
    began = {event["step"]: number for number, event in enumerate(first.events) if event["event"] == "step-started"}
    first_end = next(number for number, event in enumerate(first.events) if event["event"] == "step-done")
    independent = ("database-server", "runner", "redis-auth", "dns-records")
    assert sum(began[step] < first_end for step in independent) >= 2
    spans = {
        step: (began[step], max(n for n, event in enumerate(first.events) if event["step"] == step))
        for step in independent
    }
    redis, dns = spans["redis-auth"], spans["dns-records"]
    assert redis[0] < dns[1]
    assert dns[0] < redis[1]


def test_waiting_says_for_what_and_until_when(first: Ended) -> None:
    waits = first.of("step-waiting")
    assert waits
    for event in waits:
        assert event["detail"]
        assert datetime.fromisoformat(event["until"]) > datetime.fromisoformat(event["time"])


@pytest.mark.parametrize(
    ("outcome", "arguments"),
    [
        (Outcome.SUCCEEDED, ("--only", "dns-records")),
        (Outcome.INVALID, ("--tenant", "nobody")),
        (Outcome.REFUSED, ("--contract", "other-account.json")),
        (Outcome.FAILED, ("--contract", "other-instance.json", "--only", "database-server")),
        (Outcome.TIMED_OUT, ("--database-transport", "ssm", "--only", "runner", "--timeout", "1")),
    ],
)
def test_exit_status_and_outcome_say_the_same(
    first: Ended, cold: Stage, outcome: Outcome, arguments: tuple[str, ...]
) -> None:
    (cold.work / "other-account.json").write_text(json.dumps(cold.changed(account_id="999999999999")))
    (cold.work / "other-instance.json").write_text(json.dumps(cold.changed(database__instance="nothing-there")))
    cold.fault("runner-offline")
    ended = cold.direct(*arguments)
    assert (ended.status, ended.last["outcome"]) == (outcome.status, outcome.word), ended.stdout
    assert ended.last["event"] == "run-finished"
    assert ended.stderr == ""


def test_pending_is_for_looking(first: Ended, cold: Stage) -> None:
    cold.fault("missing-database", "customer-a")
    ended = cold.command("status", "--database-transport", "direct", "--json")
    assert (ended.status, ended.last["outcome"]) == (Outcome.PENDING.status, Outcome.PENDING.word)
    assert "onyx_customer_a" not in cold.databases()
