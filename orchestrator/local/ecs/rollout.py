"""The rules of an ECS rolling deployment, as pure functions, and the record of one deployment.

Sources: the ECS developer guide's chapters on rolling updates, the deployment circuit breaker and service throttling.
What native strategies do is strategy.py's. Left out: bake times of a rolling update, alarms, daemon services.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.local.core.pace import Pace

LOCK = threading.RLock()
"""Held while a service or its deployments change: by the API's handlers and by the scheduler."""

EVENTS_KEPT = 100
LONGEST_DELAY = 27 * 60.0

DEFAULT_CONFIGURATION: Mapping[str, Any] = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}


@dataclass(slots=True)
class DeploymentRecord:
    """One deployment of a service. moto serialises the attributes as DescribeServices shows them."""

    id: str
    task_definition: str
    desired_count: int
    launch_type: str | None = None
    network_configuration: dict[str, Any] | None = None
    platform_version: str | None = "1.4.0"
    platform_family: str = "Linux"
    status: str = "PRIMARY"
    pending_count: int = 0
    running_count: int = 0
    failed_tasks: int = 0
    rollout_state: str = "IN_PROGRESS"
    rollout_state_reason: str = ""
    created_at: datetime = field(default_factory=Pace.now)
    updated_at: datetime = field(default_factory=Pace.now)
    not_started_in_a_row: int = 0
    """Tasks that never reached RUNNING since the last one that did: ECS throttles by this."""
    next_launch: float = 0.0
    """`Pace.monotonic()` before which no task is launched."""
    colour: int = 0
    """In which of a load balancer's two target groups its tasks are: 0 `targetGroupArn`, 1 the alternate one."""
    next_complaint: float = 0.0
    """`Pace.monotonic()` before which it is not said again that the configuration lets nothing happen."""

    def __post_init__(self) -> None:
        self.rollout_state_reason = self.rollout_state_reason or f"ECS deployment {self.id} in progress."

    def become(self, state: str, reason: str) -> None:
        """The rollout reached another state."""
        self.rollout_state, self.rollout_state_reason = state, reason
        self.updated_at = Pace.now()


@dataclass(frozen=True, slots=True)
class Breaker:
    """The deployment circuit breaker's settings."""

    enabled: bool
    rollback: bool


def breaker_of(configuration: Mapping[str, Any]) -> Breaker:
    """The breaker's settings in a service's deploymentConfiguration."""
    given = configuration.get("deploymentCircuitBreaker") or {}
    return Breaker(bool(given.get("enable")), bool(given.get("rollback")))


def breaker_threshold(desired: int, configuration: Mapping[str, Any]) -> int:
    """How many failed tasks make a deployment FAILED: by default half the desired count, at least 3, at most 200."""
    breaker = configuration.get("deploymentCircuitBreaker") or {}
    given = breaker.get("thresholdConfiguration") or {}
    kind, value = given.get("type", "BOUNDED_PERCENT"), int(given.get("value", 50))
    if kind == "COUNT":
        return value
    share = math.ceil(desired * value / 100)
    return max(1, share) if kind == "UNBOUNDED_PERCENT" else min(200, max(3, share))


def forgives(configuration: Mapping[str, Any]) -> bool:
    """Whether a task that became healthy resets the count of failed ones."""
    return bool((configuration.get("deploymentCircuitBreaker") or {}).get("resetOnHealthyTask", True))


def launch_delay(not_started_in_a_row: int) -> float:
    """Seconds ECS waits before the next launch. The first failures cost nothing, then the wait doubles to 27 minutes.

    Tasks that ran and then exited are never throttled: so says the developer guide.
    """
    if not_started_in_a_row <= 3:
        return 0.0
    return min(LONGEST_DELAY, 10.0 * 2.0 ** min(not_started_in_a_row - 4, 10))


def to_launch(*, desired: int, maximum_percent: int, ours: int, alive: int) -> int:
    """How many tasks of the primary deployment to launch now.

    `ours` are the primary's tasks and `alive` all tasks of the service that are neither stopped nor stopping.
    """
    most = max(math.floor(desired * maximum_percent / 100), min(desired, 1))
    return max(0, min(desired - ours, most - alive))


def to_retire(*, desired: int, minimum_percent: int, healthy_ours: int, healthy_old: int, sick_old: int) -> int:
    """How many tasks of older deployments to stop now; the sick ones go first and cost nothing."""
    least = math.ceil(desired * minimum_percent / 100)
    spare = max(0, healthy_ours + healthy_old - least)
    return sick_old + min(healthy_old, spare)


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """The tasks of a service that are neither stopped nor stopping."""

    running: int
    pending: int
    healthy: int
    """Running, and healthy in every target group of the service."""
    others: int
    """Running or pending tasks of older deployments."""


def is_stuck(*, desired: int, minimum_percent: int, maximum_percent: int, alive: int) -> bool:
    """Whether its own limits let a deployment neither start a task nor stop one: 100 and 100 %, say, of one task."""
    most, least = math.floor(desired * maximum_percent / 100), math.ceil(desired * minimum_percent / 100)
    return alive >= max(most, min(desired, 1)) and alive <= least


def is_early_success(configuration: Mapping[str, Any], desired: int, counts: TaskCounts) -> bool:
    """Whether enough of its tasks are healthy by the service's early success criteria; the others are to follow."""
    given = configuration.get("earlySuccessCriteria") or {}
    if not given.get("enable") or not desired:
        return False
    enough = counts.healthy >= math.ceil(desired * int(given.get("healthyPercent", 100)) / 100)
    return enough and (given.get("sourceServiceRevisionCleanup") == "DEFERRED" or not counts.others)


def is_complete(desired: int, counts: TaskCounts) -> bool:
    """Whether the primary deployment's rollout is done: running = desired, targets healthy, nothing older runs."""
    return counts.running == desired == counts.healthy and not counts.pending and not counts.others
