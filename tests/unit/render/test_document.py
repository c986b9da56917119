"""`--output json|yaml`: one document of the shape that docs/reference/output.md promises."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from orchestrator.events import (
    ContainerObserved,
    Event,
    FindingReported,
    PartObserved,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepWaiting,
    TaskObserved,
)
from orchestrator.render.document import KINDS, MORE, EventDocument, write

LOOK: tuple[Event, ...] = (
    StepDone(step="runner", detail="reachable"),
    StepWaiting(step="services", subject="acme", detail="0 of 1"),
    StepFailed(step="sites", subject="acme", detail="503", code="no-tasks", fix="look"),
    FindingReported(step="redeploy", subject="beta", detail="would redeploy", code="change-planned"),
    PartObserved(part="database", state="up", detail="available"),
    PartObserved(part="tenant", subject="acme", state="failed", running=0, desired=1, site="503"),
    PartObserved(part="tenant", subject="acme", state="failed", running=1, desired=1, site="503"),
    StepDone(step="services", subject="acme", detail="up"),
)
TASKS: tuple[Event, ...] = (
    TaskObserved(
        step="tasks",
        subject="acme",
        task="abc",
        status="STOPPED",
        code="oom",
        containers=(ContainerObserved(container="api", exit_code=137),),
    ),
)


def told(kind: str, events: tuple[Event, ...], form: str = "json") -> Mapping[str, Any]:
    out = io.StringIO()
    document = EventDocument(out, form, kind)
    for event in (RunStarted(stack="onyx", command=kind), *events):
        document.emit(event)
    assert out.getvalue() == "", "nothing is written before the end"
    document.emit(RunFinished(outcome="pending"))
    read: Mapping[str, Any] = json.loads(out.getvalue()) if form == "json" else yaml.safe_load(out.getvalue())
    return read


@pytest.mark.parametrize(("kind", "events"), [("status", LOOK), ("tasks", TASKS)])
def test_the_shape_is_the_documented_one(kind: str, events: tuple[Event, ...]) -> None:
    said = told(kind, events)
    assert list(said) == ["schema", "kind", "items", *MORE[kind]]
    assert (said["schema"], said["kind"], said["stack"], said["outcome"]) == (1, kind, "onyx", "pending")
    assert said["items"]
    assert all(list(item) == list(KINDS[kind]) for item in said["items"])


@pytest.mark.parametrize(("kind", "events"), [("status", LOOK), ("tasks", TASKS)])
def test_yaml_says_the_same(kind: str, events: tuple[Event, ...]) -> None:
    assert told(kind, events, "yaml") == told(kind, events)


def test_the_newest_counts_and_what_is_done_is_not_open() -> None:
    said = told("status", LOOK)
    assert [(item["part"], item["name"], item["running"]) for item in said["items"]] == [
        ("database", "", 0),
        ("tenant", "acme", 1),
    ]
    assert [(one["kind"], one["step"], one["code"]) for one in said["open"]] == [
        ("failed", "sites", "no-tasks"),
        ("found", "redeploy", "change-planned"),
    ]


def test_a_command_that_could_not_begin_has_its_document_all_the_same() -> None:
    out = io.StringIO()
    document = EventDocument(out, "json", "tasks")
    document.emit(StepFailed(step="tasks", detail="no contract", code="no-outputs", fix="apply"))
    document.emit(RunFinished(outcome="invalid"))
    said = json.loads(out.getvalue())
    assert (said["kind"], said["outcome"], said["items"]) == ("tasks", "invalid", [])
    assert said["open"][0]["code"] == "no-outputs"


def test_texts_are_kept_as_they_are() -> None:
    for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        out = io.StringIO()
        write({"a": "no", "b": "0123", "c": "über: - x\n#y", "d": None}, out, form)
        assert read(out.getvalue()) == {"a": "no", "b": "0123", "c": "über: - x\n#y", "d": None}
