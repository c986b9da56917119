"""Resuming a stack: the workflow of `orchestrate run`, and in between what starts that which was stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator import index
from orchestrator.engine.graph import AnyStep, order
from orchestrator.lifecycle.resume import (
    database_started,
    instances_started,
    pause_forgotten,
    services_started,
)
from orchestrator.lifecycle.services import look

ALSO_NEEDS: Mapping[str, tuple[str, ...]] = {
    "database-server": ("database-started",),
    "runner": ("instances-started",),
    **dict.fromkeys(index.STEPS, ("runner", "instances-started")),
    "redeploy": ("services-started",),
}
"""What the workflow's own steps need when the stack was paused."""


def steps(workflow: Iterable[AnyStep]) -> tuple[AnyStep, ...]:
    """`workflow` with the steps of a resume, and those of its own that otherwise wait for a request."""
    ours: tuple[AnyStep, ...] = (
        database_started.STEP,
        instances_started.STEP,
        services_started.STEP,
        pause_forgotten.STEP,
    )
    by_id: dict[str, AnyStep] = {step.id: step for step in (*ours, *workflow)}
    by_id["sites"] = _of_those_awake(by_id["sites"])
    return order(
        [replace(step, needs=(*step.needs, *ALSO_NEEDS.get(step.id, ())), on_request=False) for step in by_id.values()]
    )


def _of_those_awake(step: AnyStep) -> AnyStep:
    """The step without tenants whose service rests at 0, as it did before the pause: nothing answers for them."""

    def observe(context: Any) -> tuple[Any, frozenset[str]]:
        return step.observe(context), services_started.at_rest(look(context))

    def decide(facts: tuple[Any, frozenset[str]]) -> Mapping[str, Any]:
        seen, resting = facts
        return {who: verdict for who, verdict in step.decide(seen).items() if who not in resting}

    return replace(step, observe=observe, decide=decide, findings=lambda facts: step.findings(facts[0]))
