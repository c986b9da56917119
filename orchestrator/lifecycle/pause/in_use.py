"""What tasks use is not taken from under them: which services still have some."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.errors import Problem
from orchestrator.stack.contract import Stack


def busy(stack: Stack, counts: ServiceCounts) -> tuple[str, ...]:
    """The services of the contract that have tasks, or want some."""
    seen = counts.read([one.name for one in stack.services.values()])
    return tuple(sorted(name for name, count in seen.items() if count.desired or count.present))


def still_running(services: Iterable[str], place: str) -> Problem:
    """Why something is not stopped."""
    return Problem(
        code="tasks-still-running",
        message=f"{', '.join(services)} still has tasks, or wants some: what they use is not stopped",
        context=place,
        fix="see why the service could not be stopped (above, or its events), then run orchestrate pause again",
    )
