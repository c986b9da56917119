"""What ECS says about a service: the text of each of its events, read once into a kind.

The texts are those of the ECS developer guide's chapter "Service event messages" (and of the one on Availability Zone
rebalancing). Nothing else in the program reads them; one that is not known is `EventKind.OTHER` and tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What an event is about."""

    STARTED = "started"
    """Tasks were started; `count` of them."""
    STOPPED = "stopped"
    """Running tasks were stopped; `count` of them."""
    REGISTERED = "registered"
    """Targets were registered; `count` of them."""
    DRAINING = "draining"
    """Tasks began to drain their connections."""
    STEADY = "steady"
    """The service has its tasks, and they are healthy."""
    UNHEALTHY = "unhealthy"
    """A task or an instance fails the load balancer's health check."""
    UNPLACED = "unplaced"
    """There is no room for a task: ECS makes none, and tries again by itself."""
    UNABLE = "unable"
    """Anything else that ECS could not do: start tasks consistently, assume the service's role, scale in."""
    DEPLOYMENT_FAILED = "deployment-failed"
    """The deployment was given up; `deployment` is its id where the text names one."""
    ROLLING_BACK = "rolling-back"
    """A deployment begins that goes back to an older one; `deployment` is that one's id."""
    OTHER = "other"


_TEXTS = (
    (EventKind.STARTED, re.compile(r"has started (?P<count>\d+) tasks")),
    (EventKind.STOPPED, re.compile(r"has stopped (?P<count>\d+) running tasks")),
    (EventKind.REGISTERED, re.compile(r"(?<!de)registered (?P<count>\d+) targets")),
    (EventKind.DRAINING, re.compile(r"has begun draining")),
    (EventKind.STEADY, re.compile(r"has reached a steady state")),
    (EventKind.UNHEALTHY, re.compile(r"is unhealthy in")),
    (EventKind.UNPLACED, re.compile(r"unable to place a task")),
    (EventKind.UNABLE, re.compile(r"unable to")),
    (EventKind.DEPLOYMENT_FAILED, re.compile(r"deployment failed")),
    (EventKind.ROLLING_BACK, re.compile(r"rolling back to", re.IGNORECASE)),
)
"""The first that is found in a text says its kind."""
_COMPLETED = re.compile(r"deployment completed")
_DEPLOYMENT = re.compile(r"\(deployment (?P<id>[^()\s]+)\)")


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """Something ECS said about a service, with its time (to the second). What it means follows from the text."""

    at: datetime
    text: str
    kind: EventKind = field(init=False)
    count: int = field(init=False)
    """Tasks or targets; 0 where the text counts none."""
    deployment: str = field(init=False)
    """Empty where the text names none."""

    def __post_init__(self) -> None:
        found = ((kind, pattern.search(self.text)) for kind, pattern in _TEXTS)
        kind, match = next(((kind, match) for kind, match in found if match), (EventKind.OTHER, None))
        named = _DEPLOYMENT.search(self.text)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "count", int(match.groupdict().get("count") or 0) if match else 0)
        object.__setattr__(self, "deployment", named["id"] if named else "")


def calm(happened: Sequence[ServiceEvent]) -> bool:
    """Whether ECS said last that the service is steady (beside which it says that a deployment is completed)."""
    newest = next((one for one in happened if not _COMPLETED.search(one.text)), None)
    return newest is not None and newest.kind is EventKind.STEADY


def happened(raw: Mapping[str, Any]) -> tuple[ServiceEvent, ...]:
    """The events of a service as ECS shows it, the newest first."""
    return tuple(ServiceEvent(event["createdAt"], event["message"]) for event in raw.get("events", ()))
