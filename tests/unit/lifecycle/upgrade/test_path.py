"""Which station is next: tests/cases/upgrade/stations.json, what is seen of a tenant → the station, or why none is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from orchestrator.errors import Problem
from orchestrator.lifecycle.upgrade import path
from orchestrator.lifecycle.upgrade.path import EFFECTS, KeptBackup, RegisteredVersion, Station, TenantVersion, Upgrade

CASE_FOLDER = Path(__file__).parents[3] / "cases" / "upgrade"
CASES = json.loads((CASE_FOLDER / "stations.json").read_text(encoding="utf-8"))
FINISHES = json.loads((CASE_FOLDER / "finish.json").read_text(encoding="utf-8"))
NOW = datetime.fromisoformat("2026-11-30T12:00:00Z")


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_next_station(case: dict[str, Any]) -> None:
    is_as_wanted(case, path.next_station)


@pytest.mark.parametrize("case", FINISHES, ids=[case["why"] for case in FINISHES])
def test_next_station_of_a_finish(case: dict[str, Any]) -> None:
    is_as_wanted(case, path.next_of_finish)


def is_as_wanted(case: dict[str, Any], decide: Callable[..., Station | Problem]) -> None:
    it = TypeAdapter(TenantVersion).validate_python(case["tenant"])
    backup = TypeAdapter(KeptBackup | None).validate_python(case.get("backup"))
    found = decide(it, Upgrade("a", **case["wanted"]), backup, NOW)
    if "problem" in case:
        assert isinstance(found, Problem)
        assert found.code == case["problem"]
        assert found.fix
    else:
        assert found is Station[case["station"]]


def test_every_station_is_in_the_table_and_says_what_it_does_to_users() -> None:
    seen = {case["station"] for case in CASES + FINISHES if "station" in case}
    assert seen == {one.name for one in Station}
    assert EFFECTS.keys() == set(Station)


@pytest.mark.parametrize(
    ("running", "target", "stops"),
    [
        ("v2.9.0", "v4.6.1", ("v3.2.1", "v4.6.1")),
        ("v2.9.0", "v3.0.0", ("v3.0.0",)),
        ("v3.0.0", "v4.6.1", ("v4.6.1",)),
        ("v4.6.1", "v4.6.1", ()),
    ],
)
def test_no_station_is_skipped(running: str, target: str, stops: tuple[str, ...]) -> None:
    assert path.stops(running, Upgrade("a", target)) == stops


def test_versions_that_are_none_are_told_at_once() -> None:
    wrong = path.wrong_versions(Upgrade("a", "latest", "v2.9.0"))
    assert [(one.code, one.context) for one in wrong] == [
        ("upgrade-version-unknown", "--to"),
        ("upgrade-version-unknown", "--third"),
    ]


def test_the_way_back_leads_to_the_newest_backup_before_the_present_version() -> None:
    since = datetime.fromisoformat("2026-11-30T10:00:00Z")
    four = TenantVersion({"a": "v4.6.1"}, True, RegisteredVersion(), frozenset(), since=since)
    after, before, oldest = (
        KeptBackup(f"b{hour}", since.replace(hour=hour), {"a": "r3"}, f"s3://kept/b{hour}/manifest.json")
        for hour in (11, 9, 8)
    )
    assert path.way_back(four, (after, before, oldest), "a") is before
    none = path.way_back(four, (after,), "a")
    assert isinstance(none, Problem)
    assert none.code == "upgrade-no-way-back"
    told = "; ".join(path.lines_back(four, before, "a"))
    assert "orchestrate restore s3://kept/b9/manifest.json" in told
    assert "is lost" in told
