"""When the next look at a rollout is due: sparse while nothing can come, dense around the moment at which it can. Pure.

What says that moment is an earlier rollout of the service. Without one it is the target group: nothing is good before
a task is registered and was checked as often in a row as its group demands, and nothing changes between two checks.
"""

from __future__ import annotations

import math

from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.aws.service_events import EventKind
from orchestrator.engine.retry import JITTER
from orchestrator.rollout.timeline import OVERDUE, Expectation

DENSEST, SPARSEST = 0.4, 15.0
"""Seconds between two looks, at least and at most."""
SPARSEST_AT_FIRST = 30.0
"""The same of a service without an earlier rollout, until its targets can be good."""
BUDGET = 60
"""Looks in one minute, at most, whatever is expected. A look is one DescribeServices for 10 services."""
JUST_BEFORE = 0.9
"""The part of the expected time after which the state is looked for closely."""
AFTER_A_CHECK = 0.1
"""Seconds after a check for the load balancer to draw its conclusion, and ECS its own."""


OF_EACH, OF_TEN = 5.0, 10.0
"""Calls a second, half of what AWS allows: of those that are made for each service (DescribeTargetHealth), and of those
that are made for ten (DescribeServices). The other half is others'."""


def least(services: int) -> float:
    """Seconds between two looks at so many services, at least."""
    return math.ceil(services / 10) / OF_TEN


def period(services: int, usual: float) -> float:
    """Seconds until each of so many services is asked about again, one call a service."""
    return max(usual, services / OF_EACH)


def next_look(elapsed: float, stage: Expectation, check: HealthCheck | None) -> float:
    """Seconds until the next look; `elapsed` seconds ago the present stage began."""
    if stage.seconds is not None:
        return _as_the_last_time(elapsed, stage.seconds)
    if check is None or check.interval <= 0 or stage.mark is EventKind.DRAINING:
        return _between(0.5, 0.1 * elapsed, 5.0)
    if stage.checked:
        return _by_the_checks(elapsed, check)
    # Whoever learns half an interval late that a task was registered has missed nothing.
    return _between(DENSEST, max(3.0, 1.5 * elapsed), max(2.0, min(SPARSEST_AT_FIRST, 0.8 * check.interval)))


def _as_the_last_time(elapsed: float, expected: float) -> float:
    soon = JUST_BEFORE * expected
    if elapsed < soon:
        return _between(DENSEST, min(soon - elapsed, max(2.0, elapsed)), SPARSEST)
    if elapsed < OVERDUE * expected:
        return _between(DENSEST, 0.025 * expected, 5.0)
    return _between(0.5, 0.1 * elapsed, 10.0)


def _by_the_checks(elapsed: float, check: HealthCheck) -> float:
    """A target is checked each interval from its registration on; only then can anything change.

    Before it can be good by its group's own rules it is looked at now and then: a load balancer may do with less.
    """
    made = math.floor((elapsed - AFTER_A_CHECK) / check.interval)
    before = elapsed - made * check.interval
    following = check.interval - before + AFTER_A_CHECK
    if made < check.healthy:
        until_good = following + (check.healthy - made - 1) * check.interval
        most = SPARSEST if elapsed < SPARSEST else SPARSEST_AT_FIRST  # what dies of itself does so at once
        return max(DENSEST, min(max(following, elapsed), most, _punctual(until_good)))
    closely = 1.5 if made == check.healthy else 1.0
    soon = 0.5 if before < closely else 1.5 * before
    return _between(DENSEST, _punctual(min(soon, following)), SPARSEST)


def _punctual(seconds: float) -> float:
    """A long pause ends early rather than late, and a short one follows: each is longer than asked, by its jitter."""
    return seconds / (1 + JITTER) if seconds * JITTER > DENSEST else seconds


def _between(least: float, wanted: float, most: float) -> float:
    return max(least, min(wanted, most))
