"""What `apply` does with leftovers before it shows its plan: wait for them, agree on them, leave what can't be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from orchestrator.app.leftovers import PlanLeftovers
from orchestrator.aws import existing
from orchestrator.aws.existing import ExistingObject
from orchestrator.errors import Invalid, OrchestratorError, Problem, Refused, TimedOut
from orchestrator.events import FindingReported, StepWaiting
from orchestrator.terraform.leftovers import Adopt, Await, Keep, Leave, LeftoverAction
from orchestrator.workflows import leftovers
from orchestrator.workflows.caller import Caller, StackRef, StepOptions
from orchestrator.workflows.execution import Execution

DATABASE = "aws_db_instance.this"
COMING, READY = Await(DATABASE, "it is creating"), Keep(DATABASE, "it is available")
FOUND = Adopt("aws_iam_role.this", "onyx-prod-role", "it exists")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def execution(**more: Any) -> Any:
    """Of an apply that nobody can be asked about, in a time of the test's own."""
    said: list[Any] = []
    made: Any = Execution("apply", StackRef(), said.append, Caller(), StepOptions())
    made.clock, made.said = Clock(), said
    vars(made).update(more)
    return made


class Looks:
    """Gives one look after the other, the last one for ever."""

    def __init__(self, *looks: Sequence[LeftoverAction]) -> None:
        self._looks = list(looks)

    def look(self) -> Sequence[LeftoverAction]:
        return self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]


settled: Callable[[Any, Any, set[str]], Sequence[LeftoverAction]] = leftovers._settled
agree: Callable[..., None] = leftovers._agree


def test_what_is_on_its_way_is_waited_for_and_said_once() -> None:
    us = execution()
    assert settled(us, Looks([COMING], [COMING], [READY]), set()) == [READY]
    assert us.clock.now == 2 * leftovers.POLL
    assert [type(one) for one in us.said] == [StepWaiting, FindingReported]
    assert us.said[0].subject == DATABASE


def test_the_wait_ends() -> None:
    us = execution()
    with pytest.raises(TimedOut) as caught:
        settled(us, Looks([COMING]), set())
    assert [problem.code for problem in caught.value.problems] == ["cut-off-not-available"]
    assert us.clock.now > leftovers.PATIENCE


def plan(*changes: tuple[str, list[str], str]) -> dict[str, Any]:
    made = [
        {
            "address": f"{kind}.this",
            "type": kind,
            "change": {"actions": actions, "after": {"name": "onyx-prod-x", "tags_all": {}}},
            "action_reason": reason,
        }
        for kind, actions, reason in changes
    ]
    said = {"orchestrator": {"after": {"stack": "onyx-prod", "region": "us-west-2"}}}
    return {"resource_changes": made, "output_changes": said}


STATE = {
    "values": {
        "root_module": {
            "resources": [
                {"address": "aws_lb.this", "type": "aws_lb", "tainted": True, "values": {"name": "onyx-prod-x"}}
            ]
        }
    }
}
CREATED = ("aws_iam_role", ["create"], "")
TAINTED = ("aws_lb", ["delete", "create"], "replace_because_tainted")
DENIED = OrchestratorError(Problem("access-denied", "no", "", "allow it"))


def found(
    facts: dict[str, Any], *looks: ExistingObject | Exception | None, environment: dict[str, str] | None = None
) -> Any:
    answers = iter(looks)

    def find(_client: Any, _kind: str, wanted: Mapping[str, Any]) -> Sequence[ExistingObject]:
        assert wanted["name"] == "onyx-prod-x"
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return [answer] if answer else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(existing, "find", find)
        settings: Any = {"profile": None, "role": None}
        return PlanLeftovers(facts, lambda: STATE, (), settings, environment or {}).look()


def test_each_is_looked_up_by_its_name() -> None:
    seen = ExistingObject("arn:lb", "active"), ExistingObject("onyx-prod-x")
    kept, adopted = found(plan(TAINTED, CREATED), *seen)
    assert isinstance(kept, Keep)
    assert isinstance(adopted, Adopt)
    assert found(plan(TAINTED, CREATED), None, None) == []


def test_what_can_not_be_looked_up_is_left_to_terraform_unless_it_would_be_destroyed() -> None:
    (left,) = found(plan(CREATED), DENIED)
    assert isinstance(left, Leave)
    assert left.fix == "allow it"
    with pytest.raises(OrchestratorError, match="access-denied"):
        found(plan(TAINTED), DENIED)


def test_without_a_region_nothing_is_looked_up() -> None:
    facts = plan(CREATED) | {"output_changes": {}}
    assert found(facts) == ()
    assert len(found(facts, ExistingObject("x"), environment={"AWS_REGION": "us-west-2"})) == 1


def test_what_is_not_ours_to_decide_is_told_with_its_way_out() -> None:
    us = execution()
    told: set[str] = set()
    for _ in range(2):
        settled(us, Looks([Leave(DATABASE, "it is failed", "terraform untaint it")]), told)
    assert [(one.code, one.fix) for one in us.said] == [("left-behind", "terraform untaint it")]


def test_an_import_needs_more_than_auto_approve() -> None:
    with pytest.raises(Refused) as caught:
        agree(execution(), [READY, FOUND], approved=True, adopts=False)
    (problem,) = caught.value.problems
    assert problem.code == "exists-outside-state"
    assert problem.fix.endswith("terraform import aws_iam_role.this onyx-prod-role")
    agree(execution(), [READY, FOUND], approved=True, adopts=True)
    agree(execution(), [READY], approved=True, adopts=False)


def test_nobody_to_ask_is_an_error() -> None:
    with pytest.raises(Invalid) as caught:
        agree(execution(), [READY], approved=False, adopts=True)
    assert [problem.code for problem in caught.value.problems] == ["approval-needed"]
