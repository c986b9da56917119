"""The checklist inside an apply: what stops it before, and what the state shows afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.app import checklist
from orchestrator.errors import Refused
from orchestrator.events import Event, FindingReported
from orchestrator.preflight import Checklist
from orchestrator.workflows.caller import Caller, StackRef, StepOptions
from orchestrator.workflows.execution import Execution
from orchestrator.workflows.preflight import after_apply, before_apply
from tests.documents import reading

TASKS = 'module.tenant["customer-a"].aws_ecs_task_definition.this'
ENDPOINT = "=module.postgres.aws_db_instance.this:endpoint"
WRONG = {TASKS: {"containers": {"*": {"environment": {"POSTGRES_HOST": ENDPOINT}}}}}


class Heard(Execution):
    """An apply in a terminal; what it said."""

    def __init__(self) -> None:
        self.said: list[Event] = []
        super().__init__("apply", StackRef(), self.said.append, Caller(text=lambda _text: None), StepOptions())

    @property
    def codes(self) -> set[str]:
        return {one.code for one in self.said if isinstance(one, FindingReported)}


@dataclass
class Planned:
    json: dict[str, Any]


@dataclass
class Applied:
    document: dict[str, Any]

    def state(self) -> dict[str, Any]:
        return self.document


def before(execution: Heard, plan: dict[str, Any]) -> bool:
    return before_apply(execution, Planned(plan))  # type: ignore[arg-type]


def after(execution: Heard, state: dict[str, Any]) -> None:
    after_apply(execution, Applied(state))  # type: ignore[arg-type]


def test_our_own_stack_passes_silently_and_some_of_it_has_to_wait() -> None:
    execution = Heard()
    assert before(execution, reading.plan("demo"))
    after(execution, reading.state("demo"))
    assert execution.said == []


def test_blockers_refuse_and_warnings_are_shown() -> None:
    execution = Heard()
    plan = reading.plan("guide")
    with pytest.raises(Refused) as refused:
        before(execution, plan)
    assert refused.value.problems[0].code == "preflight-blocked"
    assert {"database-host-has-port", "database-server-small", "circuit-breaker-off"} <= execution.codes
    assert "single-point" not in execution.codes


def test_what_the_plan_could_not_tell_stops_it_before_the_rollout_is_waited_for() -> None:
    execution = Heard()
    with pytest.raises(Refused):
        after(execution, reading.state("demo", WRONG))
    assert execution.codes == {"database-host-has-port"}


def test_a_destroy_is_judged_by_its_own_list() -> None:
    assert checklist.occasions(reading.plan("destroy")) == (Checklist.DESTROY,)
    assert Checklist.DEPLOY in checklist.occasions(reading.plan("database-replaced"))
    execution = Heard()
    before(execution, reading.plan("destroy"))
    assert "no-final-snapshot" in execution.codes
