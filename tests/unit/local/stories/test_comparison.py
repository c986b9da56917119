"""What the documents claim of a stack's trips is one vocabulary, is all shown, and fails when it isn't so."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from orchestrator.local.stories import comparison
from orchestrator.local.stories.comparison import ASPECTS, AspectChange

ROOT = Path(__file__).resolve().parents[4]
CLAIMS = json.loads(comparison.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("lifecycle_reference")
    finally:
        sys.path.pop(0)


@pytest.mark.parametrize(
    ("before", "after", "fate"),
    [({"a": 1}, {"a": 1}, "the same"), ({"a": 1}, {"a": 2}, "different"), ({"a": 1}, {}, "gone"), ([1], None, "gone")],
)
def test_a_fate_is_told_from_two_looks(before: object, after: object, fate: str) -> None:
    assert comparison.changes({"rows": before}, {"rows": after}) == {"rows": fate}


def test_what_was_not_there_has_no_fate() -> None:
    assert comparison.changes({"autoscaling": []}, {"autoscaling": [1]}) == {}


@pytest.mark.parametrize("trip", CLAIMS)
def test_a_claim_that_is_not_so_breaks_and_so_does_a_fate_that_nobody_claims(trip: str) -> None:
    said = comparison.claimed(trip)
    before = dict.fromkeys(said, "old")
    words = {AspectChange.SAME: "old", AspectChange.DIFFERENT: "new", AspectChange.GONE: ""}
    after = {aspect: words[AspectChange(fate)] for aspect, fate in said.items()}
    assert list(comparison.broken(trip, before, after)) == []
    for aspect, now in after.items():
        other = "old" if now != "old" else "new"
        (broken,) = comparison.broken(trip, before, {**after, aspect: other})
        assert broken.startswith(ASPECTS[aspect])
    assert list(comparison.broken(trip, {**before, "rows": ""}, after)) == [
        f"{ASPECTS['rows']}: not seen, claimed: {said['rows']}"
    ]
    assert list(comparison.broken(trip, {**before, "more": 1}, after)) == ["more: gone, claimed: nothing"]


def test_the_claims_are_of_known_aspects_and_all_are_in_the_tables(reference: ModuleType) -> None:
    shown = [one for table in reference.TABLES for row in (table.rows, table.more) for one in row.values()]
    assert {aspect for cells in shown for aspect in cells.aspects} == set(ASPECTS)
    assert {aspect for claims in CLAIMS.values() for aspect in claims} == set(ASPECTS)


def test_the_tests_that_are_named_are_there(reference: ModuleType) -> None:
    assert set(reference.SHOWN_BY) == set(CLAIMS)
    for names in reference.SHOWN_BY.values():
        for name in names:
            file, _, function = name.partition("::")
            assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8")
