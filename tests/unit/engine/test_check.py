"""How findings are put in order, and what becomes of a check that can't look."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, cast

import pytest

from orchestrator.engine.check import Case, Check, Finding, Severity, examine, order
from orchestrator.errors import OrchestratorError, Problem, Transient


def finding(
    code: str,
    subject: str = "",
    *explains: str,
    severity: Severity = Severity.BLOCKER,
    consequence: bool = False,
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        subject=subject,
        symptom="s",
        cause="c",
        fix="f",
        evidence=("e",),
        explains=frozenset(explains),
        consequence=consequence,
    )


def shape(cases: tuple[Case, ...]) -> list[tuple[str, list[str]]]:
    return [(case.root.code, [one.code for one in case.consequences]) for case in cases]


@pytest.mark.parametrize("field", ["code", "symptom", "cause", "fix", "evidence"])
def test_a_finding_without_a_remedy_or_a_reason_is_invalid(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(finding("a"), **cast(dict[str, Any], {field: () if field == "evidence" else ""}))


ORDERS = {
    "nothing": ([], []),
    "the root comes first, whatever was found first": (
        [finding("effect", "a"), finding("cause", "a", "effect")],
        [("cause", ["effect"])],
    ),
    "through several links to one root": (
        [finding("c", "a"), finding("b", "a", "c"), finding("a", "a", "b")],
        [("a", ["c", "b"])],
    ),
    "another tenant's cause explains nothing": (
        [finding("effect", "a"), finding("cause", "b", "effect")],
        [("effect", []), ("cause", [])],
    ),
    "the stack's cause explains every tenant's": (
        [finding("effect", "a"), finding("effect", "b"), finding("cause", "", "effect")],
        [("cause", ["effect", "effect"])],
    ),
    "a consequence belongs to any blocker of its tenant": (
        [finding("late", "a", consequence=True), finding("cause", "a")],
        [("cause", ["late"])],
    ),
    "but to no warning": (
        [finding("late", "a", consequence=True), finding("hint", "a", severity=Severity.WARNING)],
        [("late", []), ("hint", [])],
    ),
    "a warning that explains a blocker is as urgent as it": (
        [finding("other", "b", severity=Severity.WARNING), finding("x", "a"),
         finding("slow", "a", "x", severity=Severity.WARNING)],
        [("slow", ["x"]), ("other", [])],
    ),
    "a consequence that nothing explains is a root, after the others": (
        [finding("late", "a", consequence=True), finding("cause", "b")],
        [("cause", []), ("late", [])],
    ),
    "blockers, warnings, information": (
        [finding("i", severity=Severity.INFO), finding("w", severity=Severity.WARNING), finding("b")],
        [("b", []), ("w", []), ("i", [])],
    ),
    "two that explain each other: the first one found": (
        [finding("x", "a", "y"), finding("y", "a", "x")],
        [("x", ["y"])],
    ),
    "a circle of three loses nobody": (
        [finding("x", "a", "y"), finding("y", "a", "z"), finding("z", "a", "x")],
        [("x", ["y", "z"])],
    ),
    "the same finding twice is one": ([finding("x"), finding("x")], [("x", [])]),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_causes_outrank_consequences(name: str) -> None:
    given, expected = ORDERS[name]
    assert shape(order(given)) == expected


def fails(error: OrchestratorError) -> Check[None, None]:
    def gather(_context: None) -> None:
        raise error

    return Check("c", "title", gather, lambda _facts: ())


def test_checks_that_cannot_look_for_the_same_reason_are_one_warning() -> None:
    denied = Problem("access-denied", "no", "ec2:DescribeSubnets", "allow it")
    checks = [replace(fails(OrchestratorError(denied)), id=name) for name in ("one", "two")]
    (case,) = examine(checks, None).cases
    assert (case.root.code, case.severity, case.root.fix) == ("could-not-look", Severity.WARNING, "allow it")
    assert "one, two" in case.root.symptom


def test_what_aws_throttled_is_looked_at_again() -> None:
    looks = []

    def gather(_context: None) -> str:
        looks.append(1)
        if len(looks) < 3:
            raise Transient(Problem("throttled", "slow down"))
        return "seen"

    check: Check[None, str] = Check("c", "title", gather, lambda facts: [finding(facts)])
    assert shape(examine([check], None).cases) == [("seen", [])]


def test_only_the_tenants_that_were_asked_for_and_the_stack() -> None:
    check: Check[None, None] = Check(
        "c", "t", lambda _context: None, lambda _facts: [finding("a", "a"), finding("b", "b"), finding("s")]
    )
    assert shape(examine([check], None, subjects={"b"}).cases) == [("s", []), ("b", [])]


@pytest.mark.parametrize(("resting", "seen"), [(True, ["broken"]), (False, ["asleep", "broken"])])
def test_what_is_so_in_every_paused_stack_is_no_finding_in_one(resting: bool, seen: list[str]) -> None:
    asleep = replace(finding("asleep"), at_rest=True)
    check: Check[None, None] = Check("c", "t", lambda _context: None, lambda _facts: [asleep, finding("broken")])
    diagnosis = examine([check], None, resting=lambda: resting)
    assert [case.root.code for case in diagnosis.cases] == seen
    assert diagnosis.paused is resting


def test_gathers_run_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=30)

    def gather(_context: None) -> int:
        return together.wait()

    checks: list[Check[None, int]] = [Check(str(n), "t", gather, lambda _facts: ()) for n in range(3)]
    assert examine(checks, None).checks == 3


def on_purpose(subject: str = "") -> Finding:
    return replace(finding("on-purpose", subject, severity=Severity.INFO), pauses=True)


def at_0(subject: str) -> Finding:
    return replace(finding("at-0", subject), at_rest=True)


PAUSES = {
    "the stack's pause is every tenant's": ([on_purpose(), at_0("a")], ["on-purpose"]),
    "a tenant's only its own": ([on_purpose("a"), at_0("a"), at_0("b")], ["at-0", "on-purpose"]),
    "a tenant's is not the stack's": ([on_purpose("a"), at_0("")], ["at-0", "on-purpose"]),
    "nothing else": ([on_purpose(), finding("gone", "a")], ["gone", "on-purpose"]),
    "without a pause it is one": ([at_0("a")], ["at-0"]),
}


@pytest.mark.parametrize("name", PAUSES)
def test_what_is_meant_to_be_so_is_no_finding(name: str) -> None:
    found, codes = PAUSES[name]
    check: Check[None, None] = Check("c", "t", lambda _context: None, lambda _facts: found)
    assert [case.root.code for case in examine([check], None).cases] == codes


@pytest.mark.parametrize(("problem", "left"), [("runner-offline", 1), ("access-denied", 2)])
def test_a_look_that_failed_since_an_instance_rests_is_no_finding_in_a_paused_stack(problem: str, left: int) -> None:
    def fail(_context: None) -> None:
        raise OrchestratorError(Problem(problem, "no"))

    paused: Check[None, None] = Check("p", "t", lambda _context: None, lambda _facts: [on_purpose()])
    blind: Check[None, None] = Check("b", "t", fail, lambda _facts: [])
    assert len(examine([paused, blind], None).cases) == left
