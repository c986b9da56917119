"""A step's verdicts as lines of a checklist: what is done passes, what is left or blocked fails, a wait is unknown."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from orchestrator.checklist.model import Evidence, Remark, RunningStack, Status, manual
from orchestrator.checklist.verdicts import seen_by
from orchestrator.engine.step import STACK, Blocked, Done, Todo, Verdict, Wait
from orchestrator.errors import Problem
from orchestrator.stack.blueprint.blueprint import Blueprint
from orchestrator.stack.blueprint.resources import Resources
from orchestrator.stack.blueprint.tenancy import Tenancy


def remarks(verdicts: Mapping[str, Verdict] | None) -> list[Remark]:
    live = RunningStack({"redeploy": verdicts}) if verdicts is not None else None
    evidence = Evidence(Blueprint(planned=False, held=Resources(())), Tenancy(), live=live)
    return list(seen_by("redeploy", lambda _evidence: [manual("asked", "nobody looked")])(evidence))


@pytest.mark.parametrize(
    ("verdict", "status", "code", "fix"),
    [
        (Done("nothing to do"), Status.PASSED, "passed", ""),
        (Todo("redeploy a"), Status.FAILED, "redeploy-left", "orchestrate run --only redeploy --tenant a"),
        (Blocked(Problem("c", "m", "where", "type this")), Status.FAILED, "c", "type this"),
        (Blocked(Problem("c", "m")), Status.FAILED, "c", "orchestrate doctor --tenant a"),
        (Wait("RDS starts"), Status.UNKNOWN, "not-known-until-applied", ""),
    ],
)
def test_each_verdict_is_a_line(verdict: Verdict, status: Status, code: str, fix: str) -> None:
    [line] = remarks({"a": verdict})
    assert (line.status, line.code, line.fix, line.subject) == (status, code, fix, "a")


def test_the_stacks_own_line_names_no_tenant() -> None:
    [line] = remarks({STACK: Todo("redeploy")})
    assert line.fix == "orchestrate run --only redeploy"


@pytest.mark.parametrize("verdicts", [None, {}])
def test_where_the_step_did_not_look_another_judgement_counts(verdicts: Mapping[str, Verdict] | None) -> None:
    assert [line.code for line in remarks(verdicts)] == ["asked"]
