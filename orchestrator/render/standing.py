"""How each tenant stands, of all that was said about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.events import Event, FindingReported, StepDone, StepFailed, StepWaiting

STYLES = {"failed": "red", "pending": "yellow", "up": "green", "ok": "green"}
"""State → colour."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A tenant's state (a key of `STYLES`), and the event that tells it: of each step's last ones, the worst."""

    tenant: str
    state: str
    telling: Event


def standings(events: Iterable[Event]) -> list[Standing]:
    """By the tenants' names; what is said of no tenant counts for none."""
    last: dict[str, dict[str, Event]] = {}
    for event in events:
        if event.step and event.subject and isinstance(event, StepDone | StepFailed | StepWaiting | FindingReported):
            last.setdefault(event.subject, {})[event.step] = event
    return [_standing(tenant, said) for tenant, said in sorted(last.items())]


def _standing(tenant: str, last: Mapping[str, Event]) -> Standing:
    for kind, state in ((StepFailed, "failed"), (StepWaiting | FindingReported, "pending")):
        for event in last.values():
            if isinstance(event, kind):
                return Standing(tenant, state, event)
    return Standing(tenant, "up" if "services" in last else "ok", list(last.values())[-1])
