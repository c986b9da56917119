"""Stacks in the wild: no false blocker, no warning without ground, nothing left out in silence."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator import consequences, preflight
from orchestrator.app import checklist, understanding
from orchestrator.engine.check import Severity
from orchestrator.preflight import Checklist, Status
from tests.states import STATES, document

LISTS = (Checklist.DEPLOY, Checklist.AFTER)


def everything(module: Any) -> list[Any]:
    """The resources of a module and of those in it."""
    below = [one for child in module.get("child_modules", ()) for one in everything(child)]
    return [*module.get("resources", ()), *below]


def as_plan(state: Any) -> Any:
    """The plan of a stack in which nothing changes."""
    managed = [one for one in everything(state["values"]["root_module"]) if one["mode"] == "managed"]
    nothing = {"actions": ["no-op"], "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}
    changes = [{**one, "change": {**nothing, "before": one["values"], "after": one["values"]}} for one in managed]
    whole = {"outputs": {}, "root_module": state["values"]["root_module"]}
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
def test_a_plan_that_changes_nothing_has_no_consequences(name: str) -> None:
    state = document(name, "state")
    assert consequences.of_plan(as_plan(state), understanding.known(state, {})) == ()


def test_the_stacks_are_many_and_of_many_shapes() -> None:
    assert len(STATES) >= 25


@pytest.mark.parametrize("name", STATES)
def test_each_point_is_judged_of_each_service_or_it_is_said_why_not(name: str) -> None:
    evidence = checklist.evidence_of(as_plan(document(name, "state")))
    advice = {"app-region", "container-memory", "embedding-provider", "file-store", "grace-period"}
    for unit in evidence.units:
        said = {one.item for one in preflight.examine(evidence, LISTS) if one.subject == unit.tenant}
        assert advice <= said, "none of these images is Onyx's: it is said that its advice was left out"
    left_out = [one for one in preflight.examine(evidence, LISTS) if one.status is Status.NOT_JUDGED]
    assert all(one.says.startswith("not judged: ") for one in left_out)
