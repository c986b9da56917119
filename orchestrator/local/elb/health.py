"""The health of load-balancer targets: what a target group's checks see, when, and what they conclude.

A target is `initial` until it has answered `healthy_threshold` checks in a row (or failed `unhealthy_threshold`).
Left out: slow start, fail-open, cross-zone settings, the state `unused`, HTTPS and gRPC checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Answer = Callable[[str], int | None]
"""Path → HTTP status, or None: nothing answered."""


@dataclass(frozen=True, slots=True)
class HealthCheckRules:
    """The health check of a target group; times in AWS's seconds."""

    path: str
    interval: float
    healthy: int
    unhealthy: int
    matcher: str
    port: int = 0
    """Where it asks; 0: where the target gets its requests."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a target. `streak` counts good checks in a row (negative: bad ones)."""

    state: str
    reason: str | None = None
    description: str | None = None
    streak: int = 0


NEW = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
HEALTHY = Health("healthy")


def matches(status: int, matcher: str) -> bool:
    """Whether an HTTP status is in a matcher such as `200`, `200-299` or `200,302`."""
    spans = (part.strip().partition("-") for part in matcher.split(","))
    return any(int(low) <= status <= int(high or low) for low, _, high in spans)


def judge(health: Health, status: int | None, rules: HealthCheckRules) -> Health:
    """The target's health after one more check that saw this HTTP status."""
    if status is not None and matches(status, rules.matcher):
        streak = max(health.streak, 0) + 1
        if health.state == "healthy" or streak >= rules.healthy:
            return Health("healthy", streak=streak)
        return Health(*_kept(health), streak=streak)
    streak = min(health.streak, 0) - 1
    if health.state == "unhealthy" or -streak >= rules.unhealthy:
        return Health("unhealthy", *_cause(status), streak=streak)
    return Health(*_kept(health), streak=streak)


def _kept(health: Health) -> tuple[str, str | None, str | None]:
    return CHECKING if health.state == "initial" else (health.state, health.reason, health.description)


def _cause(status: int | None) -> tuple[str, str]:
    if status is None:
        return "Target.Timeout", "Request timed out"
    return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]"
