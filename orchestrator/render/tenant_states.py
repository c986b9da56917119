"""The state of each tenant, by the events about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.events import Event, FindingReported, StepDone, StepFailed, StepWaiting

STYLES = {"failed": "red", "pending": "yellow", "up": "green", "ok": "green"}
"""State → colour."""


@dataclass(frozen=True, slots=True)
class TenantState:
    """A tenant's state (a key of `STYLES`), and the event that shows it: of each step's last ones, the worst."""

    tenant: str
    state: str
    event: Event


def tenant_states(events: Iterable[Event]) -> list[TenantState]:
    """By the tenants' names; what is said of no tenant counts for none."""
    last: dict[str, dict[str, Event]] = {}
    for event in events:
        if event.step and event.subject and isinstance(event, StepDone | StepFailed | StepWaiting | FindingReported):
            last.setdefault(event.subject, {})[event.step] = event
    return [_tenant_state(tenant, said) for tenant, said in sorted(last.items())]


def _tenant_state(tenant: str, last: Mapping[str, Event]) -> TenantState:
    for kind, state in ((StepFailed, "failed"), (StepWaiting | FindingReported, "pending")):
        for event in last.values():
            if isinstance(event, kind):
                return TenantState(tenant, state, event)
    return TenantState(tenant, "up" if "services" in last else "ok", list(last.values())[-1])
