"""What every check judges: tests/cases/checks/<check>/*.json, facts → findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter

from orchestrator.doctor import checks
from orchestrator.engine.check import AnyCheck
from orchestrator.index import PROVIDERS
from tests.diagnose.remedies import commands

CASES = Path(__file__).parents[3] / "cases" / "checks"
CHECKS = {check.id: check for check in checks.discover()}
FILES = sorted(CASES.glob("*/*.json"))


def facts_of(check: AnyCheck, given: Any) -> Any:
    """What the check judges, by its annotation."""
    return TypeAdapter(get_type_hints(check.judge)["facts"]).validate_python(given)


def cases(check: str) -> list[Any]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in FILES if path.parent.name == check]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    check = CHECKS[path.parent.name]
    case = json.loads(path.read_text(encoding="utf-8"))
    found = check.findings(facts_of(check, case["facts"]))
    seen = [(one.code, one.subject, one.severity.value) for one in found]
    assert seen == [(one["code"], one.get("subject", ""), one["severity"]) for one in case["findings"]]
    for finding, expected in zip(found, case["findings"], strict=True):
        said = "\n".join((finding.symptom, finding.cause, finding.fix, *finding.evidence))
        for fragment in expected["says"]:
            assert fragment in said
        assert finding.check == check.id
        assert finding.at_rest is expected.get("at_rest", finding.at_rest)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_check_is_tested_sick_and_healthy(name: str) -> None:
    outcomes = {bool(case["findings"]) for case in cases(name)}
    assert outcomes == {True, False}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_fix_that_begins_with_a_command_can_be_typed_as_it_stands(name: str) -> None:
    """Where something has to be looked up, chosen or filled in first, the fix says that instead."""
    check = CHECKS[name]
    fixes = {one.fix for case in cases(name) for one in check.findings(facts_of(check, case["facts"]))}
    begun = {fix for fix in fixes if fix.startswith(("aws ", "orchestrate "))}
    assert [fix for fix in sorted(begun) if not commands(fix)] == []


def test_every_case_is_a_check_s() -> None:
    assert {path.parent.name for path in FILES} == CHECKS.keys()


def test_a_check_s_file_bears_its_name() -> None:
    for check in CHECKS.values():
        of_a_kind = {check.id.replace(f"{one.name}-", "index-", 1) for one in PROVIDERS}
        names = {name.replace("-", "_") for name in (check.id, *of_a_kind)}
        assert check.judge.__module__.rsplit(".", 1)[-1] in names
        assert check.title


def headings(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.lstrip("#").strip() for line in lines if line.startswith("#")}


def test_a_finding_leads_to_the_guide_and_to_its_page() -> None:
    root = Path(__file__).parents[4]
    sections = headings(root / "tests" / "e2e" / "guide.md")
    pages = headings(root / "docs" / "reference" / "checks.md")
    for check in CHECKS.values():
        assert check.guide_section in {"", *sections}
        for case in cases(check.id):
            found = check.findings(facts_of(check, case["facts"]))
            assert {one.guide for one in found} <= {check.guide_section}
            assert {one.page for one in found} <= {f"docs/reference/checks.md#{check.id}"}
        assert check.id in pages
