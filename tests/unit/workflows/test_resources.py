"""How far Terraform is, of the lines it prints for machines and the plan."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.stack.blueprint.changes import count_of
from orchestrator.terraform.stream import parse
from orchestrator.workflows.resources import ResourceCount


def line(kind: str, address: str, action: str) -> str:
    hook: dict[str, Any] = {"resource": {"addr": address}, "action": action}
    return json.dumps({"type": kind, "@message": f"{address}: {kind}", "hook": hook})


def told(total: int, *lines: str) -> list[tuple[str, str, int, int]]:
    count = ResourceCount(total)
    heard = (count.heard(said) for said in map(parse, lines) if said is not None)
    return [(one.address, one.state, one.done, one.total) for one in heard if one is not None]


def test_a_replacement_is_two_changes_and_a_read_is_none() -> None:
    actions = (["create"], ["no-op"], ["read"], ["delete", "create"], ["update"], ["forget"], ["create", "delete"])
    changes = [
        {"address": "a.a", "type": "a", "name": "a", "change": {"actions": some, "before": None, "after": {}}}
        for some in actions
    ]
    assert count_of({"resource_changes": changes}) == 6
    assert count_of({}) == 0


def test_what_is_done_is_counted() -> None:
    assert told(
        2,
        line("apply_start", "a.a", "create"),
        line("apply_progress", "a.a", "create"),
        line("apply_start", "data.x", "read"),
        line("apply_complete", "data.x", "read"),
        line("apply_start", "b.b", "delete"),
        line("apply_complete", "a.a", "create"),
        line("apply_errored", "b.b", "delete"),
        "no JSON",
    ) == [("a.a", "started", 0, 2), ("b.b", "started", 0, 2), ("a.a", "done", 1, 2), ("b.b", "failed", 1, 2)]


def test_of_more_than_were_planned_the_total_grows() -> None:
    assert told(0, line("apply_complete", "a.a", "create")) == [("a.a", "done", 1, 1)]
