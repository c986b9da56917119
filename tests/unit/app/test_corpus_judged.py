"""Every stack of the corpus: what the checklists say of its plan and its state, and what its plans lead to.

expected.json is somebody's judgement of the stack's files (`judged` says what it rests on), never the program's words.
A row of `failed` is severity, code, whose, and where; `unknown`, `manual` and `passed` name the points of the lists of
which that is said. A row of `consequences` is severity, effect, code, name, and whose; `then` is the plan of a change.
`{n}` stands for each of a hundred tenants.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator import consequences, preflight
from orchestrator.app import checklist, plan_consequences
from orchestrator.app.plan_consequences import consequences_of
from orchestrator.consequences import Effect
from orchestrator.engine.check import Severity
from orchestrator.preflight import Remark, Status
from tests import corpus

NUMBERS = [f"t{number:02d}" for number in range(100)]
RANK = [severity.value for severity in Severity]
NOW = datetime(2026, 9, 1, tzinfo=UTC)
OCCASIONS = {"plan": checklist.DEPLOYING, "state": checklist.DEPLOYING, "destroy": checklist.DESTROYING}
WITH_A_CHANGE = [stack for stack in corpus.STACKS if "then" in corpus.document(stack, "expected")["consequences"]]


def remarks(stack: str, on: str) -> list[Remark]:
    """As `orchestrate preflight` says it, of the stack's plan or state."""
    document = corpus.document(stack, "plan" if on == "plan" else "state")
    return list(preflight.examine(checklist.evidence_of(document), OCCASIONS[on]))


def each(row: list[str]) -> list[tuple[str, ...]]:
    if not any("{n}" in word for word in row):
        return [tuple(row)]
    return [tuple(word.replace("{n}", number) for word in row) for number in NUMBERS]


def ordered(rows: list[list[str]]) -> list[tuple[str, ...]]:
    every = [one for row in rows for one in each(row)]
    return sorted(every, key=lambda row: (RANK.index(row[0]), *row[1:]))


@pytest.mark.parametrize("on", OCCASIONS)
@pytest.mark.parametrize("stack", corpus.STACKS)
def test_findings(stack: str, on: str) -> None:
    expected = corpus.document(stack, "expected")["findings"][on]
    seen = remarks(stack, on)
    failed = [one for one in seen if one.status is Status.FAILED]
    said = [[one.severity.value if one.severity else "", one.code, one.subject, one.address] for one in failed]
    assert ordered(said) == ordered(expected["failed"])
    for status in (Status.UNKNOWN, Status.MANUAL, Status.PASSED):
        assert sorted({one.item for one in seen if one.status is status}) == expected[status.value]


@pytest.mark.parametrize("on", OCCASIONS)
@pytest.mark.parametrize("stack", corpus.STACKS)
def test_what_is_not_known_of_a_tenant_is_not_passed_for_it(stack: str, on: str) -> None:
    seen = remarks(stack, on)
    unknown = {(one.item, one.subject, one.address) for one in seen if one.status is Status.UNKNOWN}
    assert unknown & {(one.item, one.subject, one.address) for one in seen if one.status is Status.PASSED} == set()


@pytest.mark.parametrize("on", ["plan", "state"])
def test_no_false_alarm_on_ours(on: str) -> None:
    alarming = {Severity.BLOCKER, Severity.WARNING}
    assert [one for one in remarks("ours", on) if one.severity in alarming] == []


def led_to(stack: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """As `orchestrate plan` says it; no snapshot is asked for."""
    monkeypatch.setattr(plan_consequences, "_snapshots", lambda *_: iter(()))
    found = consequences_of(corpus.document(stack, kind), lambda _: pytest.fail("no cloud is asked"), NOW)
    return [[one.severity.value, one.effect.value, one.code, one.name, one.subject] for one in found.consequences]


@pytest.mark.parametrize("stack", corpus.STACKS)
def test_a_first_apply_loses_nothing(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert led_to(stack, "plan", monkeypatch) == corpus.document(stack, "expected")["consequences"]["plan"]


@pytest.mark.parametrize("stack", WITH_A_CHANGE)
def test_a_change(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert led_to(stack, "then", monkeypatch) == corpus.document(stack, "expected")["consequences"]["then"]


def test_what_orchestrate_toml_says_counts_before_anything_is_there() -> None:
    """A first plan knows no cluster; who the file says keeps the names is believed."""
    table: dict[str, Any] = {"dns": {"provider": "porkbun", "zone": "vigilon.app"}}
    document = corpus.document("plain-secrets", "plan")
    seen = preflight.examine(checklist.evidence_of(document, table=table), checklist.DEPLOYING)
    assert {one.code for one in seen if one.item == "dns-record"} == {"not-known-until-applied"}


def test_the_state_names_tenants_that_the_plan_alone_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stack without an `orchestrator` output: whose Vespa an instance is, which site a service without a rule."""
    assert ["vespa:onyx", "onyx"] in [row[3:] for row in led_to("one-tenant", "then", monkeypatch)]
    blind = consequences.of_plan(corpus.document("one-tenant", "then"))
    assert [one.subject for one in blind if one.code == "search-index-lost"] == [""]
    blind = consequences.of_plan(corpus.document("count-tenants", "then"))
    assert {one.code for one in blind if not one.subject} == {"secret-destroyed", "instance-replaced"}
    assert all(row[4] == "chat-beta" for row in led_to("count-tenants", "then", monkeypatch))
    said = [one.says for one in remarks("one-tenant", "state") if one.item == "dns-record"]
    assert said == ["onyx.vigilon.app keeps pointing to the old load balancer when a new one is created"]


def test_what_is_the_same_of_a_hundred_tenants_is_said_once() -> None:
    """Each is an event of its own in --json; a person, and a comment of 65,536 characters, gets one."""
    every = remarks("hundred-tenants", "plan")
    assert len(every) > 1000
    shown = list(checklist.condensed(every))
    assert len(shown) < 40
    (grace,) = (one for one in shown if one.code == "grace-period-short")
    assert grace.subject == "onyx-t00, onyx-t01, onyx-t02 and 97 more"
    assert "shown for onyx-t00" in grace.why
    few = remarks("count-tenants", "plan")
    assert list(checklist.condensed(few)) == few


@pytest.mark.parametrize(
    ("stack", "balancer", "expected"),
    [
        ("several-clusters", 'module.base["staging"].aws_lb.this', [("load-balancer-destroyed", "onyx-staging")]),
        ("registry-module", "module.base.aws_lb.this", [("load-balancer-unused", "")]),
        ("registry-module", "module.alb.aws_lb.this[0]", [("load-balancer-destroyed", "")]),
        ("flat-outputs", "aws_lb.main", [("load-balancer-destroyed", "")]),
    ],
)
def test_a_load_balancer_takes_along_who_is_behind_it(
    stack: str, balancer: str, expected: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = corpus.document(stack, "then")
    (gone,) = (one for one in plan["resource_changes"] if one["address"] == balancer)
    gone["change"] |= {"actions": ["delete"], "after": None}
    monkeypatch.setattr(plan_consequences, "_snapshots", lambda *_: iter(()))
    found = consequences_of(plan, lambda _: pytest.fail("no cloud is asked"), NOW).consequences
    assert [(one.code, one.subject) for one in found if one.address == balancer] == expected


def test_a_vespa_that_two_share_is_lost_for_both() -> None:
    plan = corpus.document("registry-module", "then")
    (gone,) = (one for one in plan["resource_changes"] if one["type"] == "aws_instance")
    gone["change"] |= {"actions": ["delete", "create"], "replace_paths": [["ami"]]}
    found = consequences_of(plan, lambda _: pytest.fail("no cloud is asked"), NOW).consequences
    assert [one.name for one in found if one.effect is Effect.LOSS] == ["vespa:customer-x", "vespa:customer-y"]
