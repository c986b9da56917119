"""`counts-returned`: each service is to have as many tasks as it had before it was stopped for a backup or destroy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.engine.step import Done, Step, Subject, Todo, Verdicts
from orchestrator.lifecycle.services_stopped import Facts as Services
from orchestrator.lifecycle.services_stopped import observe as observe_services
from orchestrator.lifecycle.tools import Tools


@dataclass(frozen=True, slots=True)
class Facts:
    """The services, and the counts they had."""

    services: Services
    counts: Mapping[str, int] = field(default_factory=dict)


def observe(tools: Tools) -> Facts:
    """One call for ten services."""
    return Facts(observe_services(tools), tools.manifest.desired)


def decide(facts: Facts) -> Verdicts:
    """Per tenant; one that was stopped stays so."""
    return {
        tenant: Todo(
            f"{service.name}: {service.desired} → {facts.counts[tenant]}", (service.name, facts.counts[tenant])
        )
        if tenant in facts.counts and service.desired != facts.counts[tenant]
        else Done(f"{service.name} is to have {service.desired}")
        for tenant, service in facts.services.services.items()
    }


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """One call for each."""
    for todo in todos.values():
        tools.desired.set(*todo.payload)


STEP: Step[Tools, Facts] = Step(
    id="counts-returned",
    title="the services may run again",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-stopped", "backup-verified"),
)
