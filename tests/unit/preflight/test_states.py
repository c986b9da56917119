"""Stacks in the wild: no false blocker, no warning without ground, nothing left out in silence."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator import preflight
from orchestrator.app import checklist
from orchestrator.engine.check import Severity
from orchestrator.preflight import Checklist, Status
from tests.states import STATES, document

LISTS = (Checklist.DEPLOY, Checklist.AFTER)


def as_plan(state: Any) -> Any:
    """The plan of a stack in which nothing changes."""
    managed = [one for one in state["values"]["root_module"]["resources"] if one["mode"] == "managed"]
    nothing = {"actions": ["no-op"], "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}
    changes = [{**one, "change": {**nothing, "before": one["values"], "after": one["values"]}} for one in managed]
    whole = {"outputs": {}, "root_module": {"resources": managed}}
    return {
        "format_version": "1.2",
        "planned_values": whole,
        "prior_state": state,
        "configuration": {"root_module": {}},
        "resource_changes": changes,
    }


@pytest.mark.parametrize("name", STATES)
def test_what_is_found_of_a_stack_in_the_wild(name: str) -> None:
    evidence = checklist.evidence_of(as_plan(document(name, "state")))
    found = preflight.examine(evidence, LISTS)
    alarms = [one for one in found if one.severity in (Severity.BLOCKER, Severity.WARNING)]
    assert (
        sorted([str(one.severity), one.code, one.subject, one.current] for one in alarms)
        == (document(name, "expected")["preflight"])
    )
    assert Severity.BLOCKER not in {one.severity for one in alarms}


@pytest.mark.parametrize("name", STATES)
def test_each_point_is_judged_of_each_service_or_it_is_said_why_not(name: str) -> None:
    evidence = checklist.evidence_of(as_plan(document(name, "state")))
    advice = {"app-region", "container-memory", "embedding-provider", "file-store", "grace-period"}
    for unit in evidence.units:
        said = {one.item for one in preflight.examine(evidence, LISTS) if one.subject == unit.tenant}
        assert advice <= said, "none of these images is Onyx's: it is said that its advice was left out"
    left_out = [one for one in preflight.examine(evidence, LISTS) if one.status is Status.NOT_JUDGED]
    assert all(one.says.startswith("not judged: ") for one in left_out)
