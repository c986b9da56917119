"""Which steps `doctor --fix` makes, and for whom."""

from __future__ import annotations

from orchestrator import steps
from orchestrator.app.repair import AFTERWARDS, FIRST, RepairPlan, repair_plan
from orchestrator.doctor import checks
from orchestrator.engine.check import Case, Diagnosis, Finding, Severity

TENANTS = ("a", "b", "c")


def found(subject: str, repair: str = "", code: str = "x") -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKER,
        symptom="s",
        cause="c",
        fix="f",
        evidence=("e",),
        subject=subject,
        repair=repair,
    )


def of(*cases: Case) -> RepairPlan | None:
    return repair_plan(Diagnosis(cases, 1), TENANTS)


def test_nothing_to_mend() -> None:
    assert of() is None
    assert of(Case(found("a"))) is None


def test_a_cause_with_what_follows_from_it() -> None:
    made = of(Case(found("a", "tenant-databases"), (found("a", "redeploy"), found("a"))))
    assert made == RepairPlan(frozenset({"tenant-databases", "redeploy"}), frozenset({"a"}))
    assert made.steps == {"tenant-databases", "database-server", "runner", "redeploy", "services"}


def test_what_follows_from_a_cause_that_cannot_be_mended_is_left_alone() -> None:
    assert of(Case(found("a"), (found("a", "redeploy"),)), Case(found("b", "vespa-containers"))) == RepairPlan(
        frozenset({"vespa-containers"}), frozenset({"b"})
    )


def test_what_ails_the_stack_ails_every_tenant() -> None:
    made = of(Case(found("", "vespa-containers")))
    assert made is not None
    assert made.tenants == set(TENANTS)


def test_every_repair_is_a_step() -> None:
    known = {step.id for step in steps.discover()}
    named = {getattr(__import__(check.judge.__module__, fromlist=["x"]), "REPAIR", "") for check in checks.discover()}
    assert {*FIRST, *AFTERWARDS, *(one for some in FIRST.values() for one in some)} <= known
    assert named - {""} <= known
