"""`services-stopped`: no task of a tenant runs, so nothing is written. The counts stand in the manifest before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.aws.ecs import Service
from orchestrator.engine.step import Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.lifecycle.tools import Tools


@dataclass(frozen=True, slots=True)
class Facts:
    """Tenant → its service; those that are gone are absent."""

    tenants: tuple[str, ...]
    services: Mapping[str, Service] = field(default_factory=dict)


def observe(tools: Tools) -> Facts:
    """One call for ten services."""
    names = {name: tenant.service for name, tenant in tools.stack.tenants.items()}
    found = tools.ecs.services(sorted(names.values()))
    return Facts(tuple(names), {tenant: found[name] for tenant, name in names.items() if name in found})


def decide(facts: Facts) -> Verdicts:
    """Per tenant."""
    return {tenant: _verdict(facts.services.get(tenant)) for tenant in facts.tenants}


def _verdict(service: Service | None) -> Verdict:
    if service is None:
        return Done("there is no service")
    if service.desired:
        return Todo(f"stop {service.name} ({service.desired} → 0)", service.name)
    if left := service.running + service.pending:
        return Wait(f"{left} of {service.name}'s tasks still end", "services-still-running", "see its tasks in ECS")
    return Done(f"{service.name} is stopped")


def apply(tools: Tools, todos: Mapping[Subject, Todo]) -> None:
    """One call for each."""
    for todo in todos.values():
        tools.desired.set(todo.payload, 0)


STEP: Step[Tools, Facts] = Step(
    id="services-stopped",
    title="no service runs",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("backup-place",),
    timeout=900,
    poll=5,
)
