"""The public face: what is documented can be called so, and each workflow is called alike."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator import workflows
from orchestrator.errors import OrchestratorError, Outcome
from orchestrator.events import Event, RunFinished, StepFailed
from orchestrator.workflows import Caller, Question, StackRef, StepOptions
from orchestrator.workflows.approval import approve
from orchestrator.workflows.caller import ignore
from orchestrator.workflows.execution import Execution

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "call-from-python.md"
CALLED = [name for name in workflows.__all__ if name.islower() and name != "dns"]


def test_the_page_s_example_calls_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    called: list[str] = []
    for name in ("run", "apply"):
        signature = inspect.signature(getattr(workflows, name))

        def call(*given: Any, _name: str = name, _signature: inspect.Signature = signature, **more: Any) -> Outcome:
            _signature.bind(*given, **more)
            called.append(_name)
            return Outcome.SUCCEEDED

        monkeypatch.setattr(workflows, name, call)
    exec(example, {})
    assert called == ["run", "apply"]


@pytest.mark.parametrize("name", [*CALLED, "dns.plan", "dns.apply", "dns.check", "dns.undo"])
def test_every_workflow_is_called_alike(name: str) -> None:
    function: Any = workflows
    for part in name.split("."):
        function = getattr(function, part)
    assert list(inspect.signature(function).parameters) == ["stack", "options", "emit", "caller"]


@pytest.mark.parametrize("name", [name for name in workflows.__all__ if name.endswith("Options")])
def test_options_can_be_shared_between_threads(name: str) -> None:
    kind = getattr(workflows, name)
    assert dataclasses.is_dataclass(kind)
    params: Any = vars(kind)["__dataclass_params__"]
    assert params.frozen


def test_a_stack_is_not_kept_paused_for_one_tenant(tmp_path: Path) -> None:
    """It would stop the database server, which all tenants share."""
    told: list[Event] = []
    options = workflows.PauseOptions(tenants=("a",), keep_paused=True)
    assert workflows.pause(StackRef(tmp_path, {"PATH": ""}, {}), options, emit=told.append) is Outcome.INVALID
    assert [one.code for one in told if isinstance(one, StepFailed)] == ["keep-paused-of-a-tenant"]


def test_what_goes_wrong_is_told_and_not_raised(tmp_path: Path) -> None:
    told: list[Event] = []
    stack = StackRef(tmp_path, {"PATH": ""}, {"lock_timeout": "soon"})
    assert workflows.run(stack, emit=told.append) is Outcome.INVALID
    assert [one.code for one in told if isinstance(one, StepFailed)] == ["setting-invalid"]
    assert isinstance(told[-1], RunFinished)


@pytest.mark.parametrize(
    ("answer", "ended"), [("yes", None), ("y", "not-approved"), ("", "not-approved"), (None, "approval-needed")]
)
def test_only_yes_is_a_yes_and_nobody_is_none(answer: str | None, ended: str | None) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str | None:
        asked.append(question)
        return answer

    execution = Execution("apply", StackRef(), ignore, Caller(ask=ask), StepOptions())
    if ended is None:
        approve(execution, approved=False)
    else:
        with pytest.raises(OrchestratorError) as raised:
            approve(execution, approved=False)
        assert [one.code for one in raised.value.problems] == [ended]
    approve(execution, approved=True)
    assert [one.wanted for one in asked] == ["yes"]


def test_a_request_to_stop_is_heard_by_those_at_work_alone() -> None:
    cancellation, heard = workflows.Cancellation(), []
    first = cancellation.tell(lambda: heard.append("first"))
    cancellation.request()
    first()
    cancellation.tell(lambda: heard.append("second"))
    cancellation.request()
    assert heard == ["first", "second", "second"]
    assert cancellation.requests == 2
