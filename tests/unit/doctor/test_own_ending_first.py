"""What a run's own step ended with stays above what the doctor finds beside it."""

from __future__ import annotations

import pytest

from orchestrator.doctor.consultation import led_by
from orchestrator.engine.check import Diagnosis, Finding, Severity, order


def found(code: str, subject: str = "a", severity: Severity = Severity.BLOCKER) -> Finding:
    return Finding(
        code=code, severity=severity, subject=subject, symptom="s", cause="c", fix="f", evidence=("e",),
        consequence=code == "service-not-running",
    )  # fmt: skip


DIAGNOSIS = Diagnosis(
    order(
        [
            found("database-public", ""),
            found("task-out-of-memory", "a", Severity.WARNING),
            found("task-out-of-memory", "b", Severity.WARNING),
            found("service-not-running", "c"),
        ]
    ),
    4,
)


@pytest.mark.parametrize(
    ("own", "first"),
    [
        (set(), ("database-public", "")),
        ({("a", "out-of-memory")}, ("task-out-of-memory", "a")),
        ({("b", "out-of-memory")}, ("task-out-of-memory", "b")),
        ({("b", "no-capacity")}, ("database-public", "")),
        ({("c", "service-not-running")}, ("database-public", "")),
    ],
)
def test_the_same_cause_comes_first(own: set[tuple[str, str]], first: tuple[str, str]) -> None:
    """Also as a consequence: its root then comes first with it."""
    seen = led_by(DIAGNOSIS, own)
    assert (seen.cases[0].root.code, seen.cases[0].root.subject) == first
    assert sorted(map(str, seen.cases)) == sorted(map(str, DIAGNOSIS.cases)), "nothing is added, nothing is lost"
    assert seen.severity == DIAGNOSIS.severity
