"""Pausing a stack: services to 0, then the database server and the instances stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.engine.graph import AnyStep, order
from orchestrator.lifecycle.pause import database_stopped, instances_stopped, services_at_zero
from orchestrator.lifecycle.pause_tags import TAG


def steps(*, whole: bool, kept: bool = False) -> tuple[AnyStep, ...]:
    """The whole stack's, or (for some tenants) those of services only. `kept`: of a stack that is paused already."""
    if kept:
        return (database_stopped.STEP,)
    shared = (database_stopped.STEP, instances_stopped.STEP) if whole else ()
    return order([services_at_zero.STEP, *shared])


def preview(chosen: Iterable[AnyStep]) -> tuple[AnyStep, ...]:
    """The same, to be shown before it is done: each as if the one before it were done already."""
    return tuple(replace(step, **_FORESEEN[step.id](step)) for step in chosen)


def _marked_and_free(step: AnyStep) -> dict[str, Any]:
    def observe(context: Any) -> database_stopped.DatabaseStoppedFacts:
        facts: database_stopped.DatabaseStoppedFacts = step.observe(context)
        tags = {TAG: str(facts.stamp), **facts.server.tags} if facts.server.status == "available" else facts.server.tags
        return replace(facts, busy=(), server=replace(facts.server, tags=tags))

    return {"observe": observe}


_FORESEEN: Mapping[str, Callable[[AnyStep], dict[str, Any]]] = {
    services_at_zero.STEP.id: lambda _step: {"decide": services_at_zero.announce},
    database_stopped.STEP.id: _marked_and_free,
    instances_stopped.STEP.id: lambda step: {
        "observe": lambda context: replace(step.observe(context), busy=()),
    },
}
