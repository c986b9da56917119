"""The fault catalogue: large enough, from the guide, and each fault's cause is one that a check names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orchestrator.aws.ecs import Task
from orchestrator.doctor import checks
from orchestrator.local.faults import catalogue
from orchestrator.local.onyx.fatal_logs import FATAL_LOGS
from orchestrator.rollout.diagnosis import Failure, classify
from tests.diagnose.causes import CAUSES, ELSEWHERE, HARMLESS, HOPELESS
from tests.diagnose.trials import unknown

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "tests" / "e2e" / "guide.md"
OF_DNS_SERVERS = frozenset({"dns-servfail", "dns-silent", "dns-stale", "dns-truncated"})
AT_LEAST = 120


def codes(check: str) -> set[str]:
    """What the check's cases say it can find."""
    files = (ROOT / "tests" / "cases" / "checks" / check).glob("*.json")
    return {one["code"] for file in files for one in json.loads(file.read_text())["findings"]}


def test_there_are_enough() -> None:
    real = {name for name in catalogue() if not name.startswith(ELSEWHERE)} - OF_DNS_SERVERS
    assert len(real) >= AT_LEAST, len(real)


def test_the_table_and_the_catalogue_agree() -> None:
    assert unknown() == frozenset()
    assert CAUSES.keys() >= HOPELESS
    assert CAUSES.keys().isdisjoint(HARMLESS)


@pytest.mark.parametrize("check", [check.id for check in checks.discover()])
def test_every_check_has_a_fault(check: str) -> None:
    assert codes(check) & set(CAUSES.values())


@pytest.mark.parametrize("name", FATAL_LOGS)
def test_fatal_logs_are_understood_as_the_table_says(name: str) -> None:
    environment = {
        "POSTGRES_HOST": "db.internal",
        "POSTGRES_USER": "a",
        "POSTGRES_DB": "a",
        "REDIS_HOST": "cache.internal",
    }
    task = Task("arn:task/1", "ecs-svc/1", "td:1", "STOPPED", stop_code="EssentialContainerExited")
    log = ("Traceback (most recent call last):", *FATAL_LOGS[name].written(environment))
    assert f"task-{classify(Failure(task, log, environment)).code}" == CAUSES[name]


def test_every_section_is_one_of_the_guide_s() -> None:
    headings = set(re.findall(r"^## (.+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {fault.guide for fault in catalogue().values()} - {""} <= headings
    assert {check.guide_section for check in checks.discover()} - {""} <= headings
