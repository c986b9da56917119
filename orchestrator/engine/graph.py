"""The order of steps: which step needs which, and the selected part of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from orchestrator.engine.step import Step
from orchestrator.errors import Invalid, Problem, correction

AnyStep = Step[Any, Any]


def order(steps: Sequence[AnyStep]) -> tuple[AnyStep, ...]:
    """The steps so that each follows what it needs. ValueError on a cycle or an unknown need: a bug, not input."""
    by_id = {step.id: step for step in steps}
    for step in steps:
        unknown = set(step.needs) - by_id.keys()
        if unknown:
            raise ValueError(f"step {step.id} needs {sorted(unknown)}, which do not exist")
    try:
        # Sorted: a set's order is another one in every process.
        needs = {name: sorted(some) for name, some in edges(steps).items()}
        return tuple(by_id[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise ValueError(f"steps need each other: {' -> '.join(error.args[1])}") from error


def edges(steps: Sequence[AnyStep]) -> Mapping[str, set[str]]:
    """Each step's id and the ids it needs, as far as they are among `steps`: a step left out counts as true."""
    present = {step.id for step in steps}
    return {step.id: set(step.needs) & present for step in steps}


def subset(steps: Sequence[AnyStep], *, only: Collection[str] = (), skip: Collection[str] = ()) -> tuple[AnyStep, ...]:
    """The steps named by `only` (when empty: all that don't wait for a request) without those in `skip`.

    Unknown names: `Invalid`, all at once.
    """
    known = [step.id for step in steps]
    problems = [_unknown(name, known) for name in (*only, *skip) if name not in known]
    if problems:
        raise Invalid(*problems)
    named = set(only) or {step.id for step in steps if not step.on_request}
    return tuple(step for step in steps if step.id in named and step.id not in skip)


def _unknown(name: str, known: Sequence[str]) -> Problem:
    return Problem(
        "unknown-step", f"there is no step named {name!r}", "--only/--skip", correction(name, known, "steps")
    )
