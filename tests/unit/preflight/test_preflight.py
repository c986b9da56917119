"""What the checklists say: tests/cases/preflight/<item>.json, a plan or a state (real, or edited) → remarks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator import preflight
from orchestrator.doctor import checks
from orchestrator.engine.check import Severity
from orchestrator.preflight import Checklist, Remark, Status
from orchestrator.stack.blueprint.places import Places
from tests.documents import reading
from tests.documents.evidence import evidence

ROOT = Path(__file__).parents[3]
ITEMS = {item.id: item for item in preflight.discover()}
CASES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "tests" / "cases" / "preflight").glob("*.json"))
}
EACH = [(item, case) for item, cases in CASES.items() for case in cases]
GUIDE = ROOT / "tests" / "e2e" / "guide.md"
SEEN_ONLY_LIVE = {"tasks-running", "site"}
"""Of these a plan can't say that they are so."""
A_PERSON_S = {"manual-configuration"}
"""Nothing but a person can say that these are so."""
CANARIES = ("not-shown-47", "Canary-postgres-4711")


def remarks(item: str, case: dict[str, Any]) -> list[Remark]:
    return list(preflight.examine(evidence(case), {ITEMS[item].occasion}, items=[ITEMS[item]]))


@pytest.mark.parametrize(("item", "case"), EACH, ids=[f"{item}: {case['on']}: {case['case']}" for item, case in EACH])
def test_case(item: str, case: dict[str, Any]) -> None:
    found = remarks(item, case)
    seen = [(one.status.value, one.severity.value if one.severity else None, one.code, one.subject) for one in found]
    wanted = [(one["status"], one.get("severity"), one["code"], one["subject"]) for one in case["remarks"]]
    assert seen == wanted
    for one, expected in zip(found, case["remarks"], strict=True):
        for fragment in expected.get("says", ()):
            assert fragment in f"{one.current}\n{one.wanted}"
        if one.status is Status.FAILED:
            assert one.address or "live" in case
            assert one.current
            assert one.wanted
            assert one.hcl or one.fix
        assert not any(canary in str(one) for canary in CANARIES)


def lines_of_the_guide() -> list[str]:
    text = GUIDE.read_text(encoding="utf-8").partition("## Prevention Checklist")[2]
    return re.findall(r"^- \[ \] (.+)$", text, re.MULTILINE)


def test_every_line_of_the_guide_has_its_item() -> None:
    lines = lines_of_the_guide()
    assert len(lines) == 18
    judged = {line for item in ITEMS.values() for line in item.lines}
    assert judged == set(lines)


@pytest.mark.parametrize("item", [item.id for item in ITEMS.values() if item.lines])
@pytest.mark.parametrize("on", ["plan", "state"])
def test_every_line_passes_and_fails_on_plan_and_state(item: str, on: str) -> None:
    statuses = {one["status"] for case in CASES[item] if case["on"] == on for one in case["remarks"]}
    wanted = {"passed", "failed"}
    if item in A_PERSON_S:
        wanted = {"manual", "failed"}
    elif on == "plan" and item in SEEN_ONLY_LIVE:
        wanted = {"unknown", "failed"}
    assert statuses >= wanted


def test_every_item_has_cases_of_both_kinds() -> None:
    assert CASES.keys() == ITEMS.keys()
    for item, cases in CASES.items():
        assert "failed" in {one["status"] for case in cases for one in case["remarks"]}, item
        assert {"passed", "manual"} & {one["status"] for case in cases for one in case["remarks"]}, item


def test_an_item_is_in_the_file_of_its_check_or_in_one_that_bears_its_name() -> None:
    of_checks = {one.id for one in checks.points()}
    assert of_checks < ITEMS.keys()
    for item in ITEMS.values():
        assert item.title
        own = ROOT / "orchestrator" / "preflight" / "items" / f"{item.id.replace('-', '_')}.py"
        assert own.exists() != (item.id in of_checks)


@pytest.mark.parametrize("name", [name for name in reading.PLANS if name != "guide"])
def test_no_false_alarm_on_our_own_plans(name: str) -> None:
    seen = preflight.examine(preflight.from_plan(reading.plan(name)), {Checklist.DEPLOY, Checklist.AFTER})
    assert [one for one in seen if one.severity in (Severity.BLOCKER, Severity.WARNING)] == []


def test_no_false_alarm_on_our_own_state() -> None:
    seen = preflight.examine(preflight.from_state(reading.state("demo")), {Checklist.DEPLOY, Checklist.AFTER})
    assert [one for one in seen if one.severity in (Severity.BLOCKER, Severity.WARNING)] == []


def test_what_is_not_known_is_never_passed() -> None:
    seen = preflight.examine(preflight.from_plan(reading.plan("demo")), set(Checklist))
    waiting = {one.item for one in seen if one.status is Status.UNKNOWN}
    passed = {one.item for one in seen if one.status is Status.PASSED}
    assert {"redis-settings", "secret-references", "container-memory", "image-pinned", "app-region"} <= waiting
    assert waiting & passed == set()


def test_blockers_come_first_and_have_their_place() -> None:
    places = Places(ROOT / "tests" / "documents" / "guide")
    seen = preflight.examine(preflight.from_plan(reading.plan("guide")), {Checklist.DEPLOY, Checklist.AFTER}, places)
    failed = [one for one in seen if one.status is Status.FAILED]
    assert seen[: len(failed)] == tuple(failed)
    assert failed[0].severity is Severity.BLOCKER
    lines = (ROOT / "tests" / "documents" / "guide" / "main.tf").read_text(encoding="utf-8").splitlines()
    for one in failed:
        file, _, number = one.place.partition(":")
        kind, name = one.address.split(".")
        assert file == "main.tf"
        assert lines[int(number) - 1] == f'resource "{kind}" "{name}" {{'


def test_a_failed_remark_needs_a_way_out() -> None:
    with pytest.raises(ValueError, match="or fix"):
        Remark(status=Status.FAILED, code="x", says="x", severity=Severity.WARNING, why="y")
