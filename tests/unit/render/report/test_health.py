"""The map of a stack's health: from what was said to links and their states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator import steps
from orchestrator.doctor import checks
from orchestrator.render.report import health
from orchestrator.stack import contract
from tests.unit.stack.test_contract import good

CASES = json.loads((Path(__file__).parents[3] / "cases" / "render" / "health.json").read_text())
NODE = {"instance_id": "i-0a", "host": "10.0.0.5"}
REDIS = {"replication_group": "onyx-redis", "host": "redis.example.com"}
ONE = contract.parse({**good(), "redis": REDIS, "bucket": "files", "vespa": {"a": NODE}}, "test")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_told(case: dict[str, Any]) -> None:
    seen = health.of(case["events"])
    links = {way.tenant: {link.part: link.state for link in (*way.trunk, *way.branches)} for way in seen.ways}
    assert (list(links), links) == (list(case["ways"]), case["ways"])
    assert [[one.part, one.subject, one.code] for one in seen.broken] == case["broken"]


def test_each_step_and_each_check_has_its_place() -> None:
    assert {step.id for step in steps.discover()} == set(health.STEPS)
    assert {check.id for check in checks.discover()} == set(health.CHECKS)


def test_with_the_stack_each_link_that_it_has_is_drawn() -> None:
    (way,) = health.of([], ONE, ["a"]).ways
    assert {link.state for link in (*way.trunk, *way.branches)} == {health.UNKNOWN}
    assert [link.part for link in way.branches] == ["database", "redis", "index", "files"]
    (other,) = health.of([], ONE, ["b"]).ways
    assert [link.part for link in other.branches] == ["database", "redis", "files"]


def test_a_doctor_who_found_nothing_says_so_of_what_he_looked_at_alone() -> None:
    (way,) = health.of(list(health.checked(ONE, ["a"], ["bucket"])), ONE, ["a"]).ways
    states = {link.part: link.state for link in (*way.trunk, *way.branches)}
    assert states.pop("files") == health.UNKNOWN
    assert set(states.values()) == {health.UP}
