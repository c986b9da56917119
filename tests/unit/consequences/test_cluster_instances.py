"""Instances of a cluster: what plans that take them away, or change them, lead to; by hand, after real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from orchestrator import consequences
from tests.states.parts import aurora, definition, part, state
from tests.unit.preflight.test_foreign_states import as_plan

WRITER = part(
    "aws_rds_cluster_instance.a",
    identifier="shop-au-a",
    cluster_identifier="shop-au",
    writer=True,
    instance_class="db.r6g.large",
    apply_immediately=True,
)
READER = part(
    "aws_rds_cluster_instance.b",
    identifier="shop-au-b",
    cluster_identifier="shop-au",
    writer=False,
    instance_class="db.r6g.large",
    apply_immediately=True,
)
GONE, AGAIN, FIRST = ["delete"], ["delete", "create"], ["create", "delete"]


def planned(members: Sequence[Any], does: Mapping[str, Sequence[str]], after: Mapping[str, Any] | None = None) -> Any:
    """The plan of a stack on Aurora with these instances, that does this to them, by address."""
    whole = state(server=[aurora(), *members], definition=definition())
    plan = as_plan(whole)
    for one in plan["resource_changes"]:
        if one["address"] in does:
            one["change"]["actions"] = list(does[one["address"]])
            left = {**one["change"]["before"], **(after or {})}
            one["change"]["after"] = None if does[one["address"]] == GONE else left
    return plan


A, B = WRITER["address"], READER["address"]
CLUSTER = "aws_rds_cluster.main"
WITHOUT, OVER, RESTARTS = (
    "database-cluster-without-instance",
    "database-cluster-fails-over",
    "database-server-restarts",
)
CASES: Mapping[str, tuple[Any, list[tuple[str, str, int | None]]]] = {
    "the only one goes": (planned([WRITER], {A: GONE}), [(WITHOUT, "outage", None)]),
    "both go": (planned([WRITER, READER], {A: GONE, B: GONE}), [(WITHOUT, "outage", None)]),
    "the only one is replaced": (planned([WRITER], {A: AGAIN}), [(WITHOUT, "outage", 600)]),
    "its successor is there first": (planned([WRITER], {A: FIRST}), [(OVER, "disturbance", 60)]),
    "the writer of two goes": (planned([WRITER, READER], {A: GONE}), [(OVER, "disturbance", 60)]),
    "a reader goes": (planned([WRITER, READER], {B: GONE}), []),
    "the only one is larger": (
        planned([WRITER], {A: ["update"]}, {"instance_class": "db.r6g.xlarge"}),
        [(RESTARTS, "disturbance", 180)],
    ),
    "the writer of two is larger": (
        planned([WRITER, READER], {A: ["update"]}, {"instance_class": "db.r6g.xlarge"}),
        [(RESTARTS, "disturbance", 60)],
    ),
    "a reader is larger": (planned([WRITER, READER], {B: ["update"]}, {"instance_class": "db.r6g.xlarge"}), []),
    "larger in the next window": (
        planned([WRITER], {A: ["update"]}, {"instance_class": "db.r6g.xlarge", "apply_immediately": False}),
        [(RESTARTS, "work", 0)],
    ),
    "its tags": (planned([WRITER], {A: ["update"]}, {"tags": {"a": "b"}}), []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_it_leads_to(case: str) -> None:
    plan, expected = CASES[case]
    found = consequences.of_plan(plan)
    assert [(one.code, str(one.effect), one.seconds) for one in found] == expected
    assert all(one.then and one.why for one in found)


def test_of_a_cluster_that_goes_its_own_consequence_tells() -> None:
    codes = {one.code for one in consequences.of_plan(planned([WRITER], {A: GONE, CLUSTER: GONE}))}
    assert "database-lost" in codes
    assert WITHOUT not in codes


def test_only_the_tenants_of_the_cluster_are_without() -> None:
    """Known by a contract that names the cluster."""
    whole = state(server=[aurora(), aurora("crm-au", "aws_rds_cluster.crm"), WRITER], definition=definition())
    contract = {
        "database": {"cluster": "crm-au", "host": "crm-au.cluster-abc.eu-west-1.rds.amazonaws.com"},
        "tenants": {"web": {"service": "web", "database": "shop"}},
    }
    plan = as_plan(whole)
    for one in plan["resource_changes"]:
        if one["address"] == A:
            one["change"] |= {"actions": GONE, "after": None}
    assert [one.subject for one in consequences.of_plan(plan, contract)] == []
    contract["database"] = {"cluster": "shop-au"}
    assert [one.code for one in consequences.of_plan(plan, contract)] == [WITHOUT]
