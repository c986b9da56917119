"""Which station is next: tests/cases/upgrade/stations.json, what is seen of a tenant → the station, or why none is."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from orchestrator.errors import Problem
from orchestrator.lifecycle.upgrade import path
from orchestrator.lifecycle.upgrade.path import EFFECTS, KeptBackup, Station, TenantVersion, Upgrade

CASES = json.loads((Path(__file__).parents[3] / "cases" / "upgrade" / "stations.json").read_text(encoding="utf-8"))
NOW = datetime.fromisoformat("2026-11-30T12:00:00Z")


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_next_station(case: dict[str, Any]) -> None:
    it = TypeAdapter(TenantVersion).validate_python(case["tenant"])
    backup = TypeAdapter(KeptBackup | None).validate_python(case.get("backup"))
    found = path.next_station(it, Upgrade("a", **case["wanted"]), backup, NOW)
    if "problem" in case:
        assert isinstance(found, Problem)
        assert found.code == case["problem"]
        assert found.fix
    else:
        assert found is Station[case["station"]]


def test_every_station_is_in_the_table_and_says_what_it_does_to_users() -> None:
    assert {case["station"] for case in CASES if "station" in case} == {one.name for one in Station}
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
