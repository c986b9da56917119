"""The state of each tenant, by the events about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.events import Event, FindingReported, RunStarted, StepDone, StepFailed, StepWaiting

STYLES = {"failed": "red", "pending": "yellow", "up": "green", "ok": "green", "paused": "cyan"}
"""State → colour."""
_AT_REST = "services-at-zero"
"""The step of a pause that stops a tenant's tasks."""
_OF_A_PAUSE = frozenset({"pause", "status"})
"""Commands after which a tenant at rest stays so: a backup starts it again, a destroy leaves nothing."""


@dataclass(frozen=True, slots=True)
class TenantState:
    """A tenant's state (a key of `STYLES`), and the event that shows it: of each step's last ones, the worst."""

    tenant: str
    state: str
    event: Event


def tenant_states(events: Iterable[Event]) -> list[TenantState]:
    """By the tenants' names; what is said of no tenant counts for none."""
    last: dict[str, dict[str, Event]] = {}
    command = ""
    for event in events:
        if isinstance(event, RunStarted):
            command = event.command
        if event.step and event.subject and isinstance(event, StepDone | StepFailed | StepWaiting | FindingReported):
            last.setdefault(event.subject, {})[event.step] = event
    return [_tenant_state(tenant, said, command) for tenant, said in sorted(last.items())]


def _tenant_state(tenant: str, last: Mapping[str, Event], command: str) -> TenantState:
    for kind, state in ((StepFailed, "failed"), (StepWaiting | FindingReported, "pending")):
        for event in last.values():
            if isinstance(event, kind):
                return TenantState(tenant, state, event)
    if command in _OF_A_PAUSE and _AT_REST in last:
        return TenantState(tenant, "paused", last[_AT_REST])
    return TenantState(tenant, "up" if "services" in last else "ok", list(last.values())[-1])
