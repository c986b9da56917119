"""The checklist inside an apply: what stops it before, and what the state shows afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.app import checklist
from orchestrator.cli.preflight import after_apply, before_apply
from orchestrator.errors import Refused
from orchestrator.events import Event, FindingReported
from orchestrator.preflight import Occasion
from tests.documents import reading

TASKS = 'module.tenant["customer-a"].aws_ecs_task_definition.this'
ENDPOINT = "=module.postgres.aws_db_instance.this:endpoint"
WRONG = {TASKS: {"containers": {"*": {"environment": {"POSTGRES_HOST": ENDPOINT}}}}}


@dataclass
class Options:
    directory: Path = Path()
    as_json: bool = False


@dataclass
class Conductor:
    """Hears what is said."""

    options: Options = field(default_factory=Options)
    said: list[Event] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        self.said.append(event)

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


def before(conductor: Conductor, plan: dict[str, Any]) -> bool:
    return before_apply(conductor, Planned(plan))  # type: ignore[arg-type]


def after(conductor: Conductor, state: dict[str, Any]) -> None:
    after_apply(conductor, Applied(state))  # type: ignore[arg-type]


def test_our_own_stack_passes_silently_and_some_of_it_has_to_wait() -> None:
    conductor = Conductor()
    assert before(conductor, reading.plan("demo"))
    after(conductor, reading.state("demo"))
    assert conductor.said == []


def test_blockers_refuse_and_warnings_are_shown() -> None:
    conductor = Conductor()
    plan = reading.plan("guide")
    with pytest.raises(Refused) as refused:
        before(conductor, plan)
    assert refused.value.problems[0].code == "preflight-blocked"
    assert {"database-host-has-port", "database-server-small", "circuit-breaker-off"} <= conductor.codes
    assert "single-point" not in conductor.codes


def test_what_the_plan_could_not_tell_stops_it_before_the_rollout_is_waited_for() -> None:
    conductor = Conductor()
    with pytest.raises(Refused):
        after(conductor, reading.state("demo", WRONG))
    assert conductor.codes == {"database-host-has-port"}


def test_a_destroy_is_judged_by_its_own_list() -> None:
    assert checklist.occasions(reading.plan("destroy")) == (Occasion.DESTROY,)
    assert Occasion.DEPLOY in checklist.occasions(reading.plan("database-replaced"))
    conductor = Conductor()
    before(conductor, reading.plan("destroy"))
    assert "no-final-snapshot" in conductor.codes
