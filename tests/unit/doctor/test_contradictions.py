"""What is seen against what was inferred."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.doctor.contradictions import Observations, reconciled
from orchestrator.engine.check import Finding, Severity

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
BOTH = frozenset({"a", "b"})
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def finding(code: str, subject: str = "a") -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKER,
        subject=subject,
        symptom="s",
        cause="c",
        fix="f",
        evidence=("e",),
        explains=frozenset({"x"}),
    )


def seen(**facts: object) -> Observations:
    return Observations(NOW, tenants=BOTH, **facts)  # type: ignore[arg-type]


def one(code: str, observations: Observations, subject: str = "a") -> Finding:
    (kept,) = reconciled([finding(code, subject)], observations)
    return kept


@pytest.mark.parametrize("code", ["task-port-closed", "health-check-port-wrong", "target-group-unused"])
def test_what_the_load_balancer_itself_disproves_is_dropped(code: str) -> None:
    assert list(reconciled([finding(code)], seen(up_since={"a": NOW - WEEK}))) == []
    assert one(code, seen(up_since={"b": NOW})) == finding(code)


@pytest.mark.parametrize(
    "code", ["subnet-without-way-out", "database-port-closed", "redis-port-closed", "task-egress-closed"]
)
def test_a_deployment_of_today_that_is_up_has_a_way(code: str) -> None:
    kept = one(code, seen(up_since={"a": NOW - HOUR}))
    assert (kept.severity, kept.explains) == (Severity.WARNING, frozenset())
    assert "the deployment of 2026-03-04 11:00 UTC pulled its images" in kept.cause
    assert kept.symptom.startswith("the next task may fail")
    assert len(kept.evidence) == 2


def test_what_was_shown_a_week_ago_says_nothing_of_today() -> None:
    assert one("subnet-without-way-out", seen(up_since={"a": NOW - WEEK})) == finding("subnet-without-way-out")


@pytest.mark.parametrize(
    "code", ["task-database-login-denied", "task-database-missing", "task-database-connect-revoked"]
)
def test_a_login_that_works_now_is_over_with_what_a_task_said_of_it(code: str) -> None:
    kept = one(code, seen(signs_in=frozenset({"a"})))
    assert kept.severity is Severity.BLOCKER, "its tasks do not run yet"
    assert "that is resolved" in kept.cause
    assert kept.fix.startswith("orchestrate run --tenant a")
    assert one(code, seen(signs_in=frozenset({"b"}))) == finding(code)


def test_a_site_that_answers_has_its_certificate_and_the_stack_only_if_all_do() -> None:
    assert one("certificate-other-names", seen(answers=frozenset({"a"}))).severity is Severity.WARNING
    assert one("certificate-not-used", seen(answers=frozenset({"a"})), "") == finding("certificate-not-used", "")
    assert one("certificate-not-used", seen(answers=BOTH), "").severity is Severity.WARNING


def test_another_tenants_rule_is_never_disproved_by_an_answer() -> None:
    """Another tenant answers as well as this one would."""
    for code in ("listener-rule-missing", "site-of-another-tenant", "listener-rule-shadowed"):
        everything = seen(up_since={"a": NOW, "b": NOW}, signs_in=BOTH, answers=BOTH)
        assert one(code, everything) == finding(code)
