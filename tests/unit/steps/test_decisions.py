"""The decisions of every step, also of pause, resume and the like: tests/cases/<step>/*.json, facts → verdicts."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter

from orchestrator import lifecycle, steps
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.step import Blocked, Done, Todo, Verdict, Wait

CASES = Path(__file__).parents[2] / "cases"
_OF_LIFECYCLE = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(lifecycle.__path__, f"{lifecycle.__name__}.")
    if not module.ispkg
]
STEPS: dict[str, AnyStep] = {module.STEP.id: module.STEP for module in _OF_LIFECYCLE if hasattr(module, "STEP")}
STEPS |= {step.id: step for step in steps.discover()}
FILES = sorted(path for step in STEPS for path in (CASES / step).glob("*.json"))


def facts_of(step: AnyStep) -> type[Any]:
    """What the step's decision is taken on, by its annotation."""
    facts: type[Any] = get_type_hints(step.decide)["facts"]
    return facts


def words(verdict: Verdict) -> str:
    match verdict:
        case Done(detail):
            return detail
        case Todo(change):
            return change
        case Wait(because):
            return because
        case Blocked(problem):
            return str(problem)


def code(verdict: Verdict) -> str:
    return verdict.problem.code if isinstance(verdict, Blocked) else getattr(verdict, "code", "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    step = STEPS[path.parent.name]
    case = json.loads(path.read_text(encoding="utf-8"))
    verdicts = step.decide(TypeAdapter(facts_of(step)).validate_python(case["facts"]))
    assert verdicts.keys() == case["verdicts"].keys()
    for subject, expected in case["verdicts"].items():
        verdict = verdicts[subject]
        assert type(verdict).__name__ == expected["verdict"], verdict
        assert code(verdict) == expected.get("code", "")
        if "refused" in expected:
            assert isinstance(verdict, Blocked)
            assert verdict.refused is expected["refused"]
        for fragment in expected["says"]:
            assert fragment in words(verdict)
        if isinstance(verdict, Blocked):
            assert verdict.problem.fix


def test_every_step_has_its_cases() -> None:
    assert {path.parent.name for path in FILES} == STEPS.keys()
