"""What a service's own events tell: launches, trouble, rollbacks, and when its next state can come. Pure.

ECS keeps 100 events of a service, each with its time, and gives them with every DescribeServices: no call of their own.
What their texts mean is said in `aws/service_events.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from orchestrator.aws.ecs import Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.aws.service_events import EventKind, ServiceEvent

SOON = 1.0
"""Seconds until what was changed a moment ago is looked for again: ECS is eventually consistent."""
NOT_SEEN = "run it again; if that doesn't help, check in CloudTrail whether UpdateService arrived"
OVERDUE = 1.25
"""The part of the expected time after which a state is late."""
LAUNCHING = 60.0
"""Seconds in which a task of a service without an earlier rollout may well be made, pulled and started."""
SPREAD = 5.0
"""Seconds that checks may take more than their intervals: ten of five seconds are no precise minute."""

_MARKS = (EventKind.STARTED, EventKind.REGISTERED, EventKind.DRAINING)
"""The stages of a rollout, each seen as an event."""
_TROUBLE = frozenset({EventKind.UNHEALTHY, EventKind.UNPLACED, EventKind.UNABLE, EventKind.DEPLOYMENT_FAILED})
_DISTURBING = _TROUBLE | {EventKind.STARTED, EventKind.REGISTERED}
_STEADY = frozenset({EventKind.STEADY})
_NEW_TASKS_ARE_GOOD = frozenset({EventKind.DRAINING, EventKind.STOPPED, EventKind.STEADY})
_SAME_MOMENT = timedelta(seconds=2)
"""ECS makes a rollback's deployment and says so within this time (its events are written to the second)."""


def since(service: Service, deployment: Deployment) -> Iterator[ServiceEvent]:
    """The service's events since the deployment was made, newest first."""
    return (event for event in service.happened if event.at >= deployment.created_at)


def launched(service: Service, deployment: Deployment) -> int:
    """How many tasks were started since the deployment was made; more than desired: some of them ended."""
    return sum(event.count for event in since(service, deployment) if event.kind is EventKind.STARTED)


def started_again(service: Service, deployment: Deployment, within: float) -> bool:
    """Whether its newest tasks were started within so many seconds after those before them: what died is replaced."""
    starts = [event.at for event in since(service, deployment) if event.kind is EventKind.STARTED]
    return len(starts) > 1 and (starts[0] - starts[1]).total_seconds() < within


def troubles(service: Service, deployment: Deployment) -> int:
    """How many events since the deployment was made speak of trouble."""
    return sum(event.kind in _TROUBLE for event in since(service, deployment))


def unplaced(service: Service, deployment: Deployment) -> str:
    """What ECS says when it can't place a task of the deployment; empty once it could."""
    for event in since(service, deployment):
        if event.kind is EventKind.UNPLACED:
            return event.text
        if event.kind is EventKind.STARTED:
            return ""
    return ""


def steady_at(service: Service, deployment: Deployment) -> datetime | None:
    """When ECS last called the service steady since the deployment was made; None: not yet."""
    return next((event.at for event in since(service, deployment) if event.kind is EventKind.STEADY), None)


def given_up_at(service: Service, deployment: Deployment, task: Task) -> datetime | None:
    """When the task's end was decided: one that fails its checks drains for minutes, and another is up by then."""
    named = (one.at for one in since(service, deployment) if one.kind is EventKind.UNHEALTHY and task.id in one.text)
    ends = [at for at in (task.ended_at, min(named, default=None)) if at is not None]
    return min(ends, default=None)


def unchanged_since(service: Service, deployment: Deployment) -> datetime:
    """Since when no task of the deployment was started, registered or found unhealthy."""
    at = (event.at for event in since(service, deployment) if event.kind in _DISTURBING)
    return max(at, default=deployment.created_at)


def rolled_back(service: Service, watched: str = "") -> bool:
    """Whether ECS gave up the deployment `watched` (empty: whichever came before) and went back to an older one."""
    primary = service.primary
    if primary is None:
        return False
    if watched and primary.id != watched:
        failed = (event.deployment for event in service.happened if event.kind is EventKind.DEPLOYMENT_FAILED)
        given_up = any(one.id == watched and one.rollout_state == "FAILED" for one in service.deployments)
        if given_up or watched in failed:
            return True
    began = (event.at for event in service.happened if event.kind is EventKind.ROLLING_BACK)
    said = any(primary.created_at <= at <= primary.created_at + _SAME_MOMENT for at in began)
    return said or primary.rolls_back


@dataclass(frozen=True, slots=True)
class Expectation:
    """The stage the rollout reached, when, and how many seconds an earlier rollout took from there to its end."""

    since: datetime
    seconds: float | None = None
    mark: EventKind = EventKind.STARTED
    """What began the stage."""

    @property
    def checked(self) -> bool:
        """Whether it is the load balancer that is waited for: no target is good before its checks were."""
        return self.mark is EventKind.REGISTERED

    def is_late(self, now: datetime, patience: float, check: HealthCheck | None = None, most: float = inf) -> bool:
        """Whether more than `patience` seconds, or than the last time took, have passed.

        Without an earlier rollout: than it takes to launch a task, or to check it; `most` seconds in any case.
        """
        return (now - self.since).total_seconds() >= max(patience, self._allowed(check, most))

    def _allowed(self, check: HealthCheck | None, most: float) -> float:
        if self.seconds is not None:
            return OVERDUE * self.seconds
        if check is None or self.mark is EventKind.DRAINING:
            return 0.0
        return min(most, check.interval * (check.healthy + 1) + SPREAD if self.checked else LAUNCHING)


def expectation(service: Service, deployment: Deployment, running: datetime | None = None) -> Expectation:
    """When the service can be good, as it was in its last rollout.

    That is when it was steady; where no older task runs that would have to drain, when its new tasks were good.
    `running` is when its newest task began to run, where no event tells that it was registered.
    """
    rolling = any(older.id != deployment.id and older.running for older in service.deployments)
    latest = ((event.at, event.kind) for event in since(service, deployment) if event.kind in _MARKS)
    at, mark = next(latest, (deployment.created_at, EventKind.STARTED))
    if running is not None and mark is EventKind.STARTED and running >= at:
        at, mark = running, EventKind.REGISTERED
    ending = _STEADY if rolling or mark is EventKind.DRAINING else _NEW_TASKS_ARE_GOOD
    return Expectation(at, _before(service, deployment, mark, ending), mark)


def _before(service: Service, deployment: Deployment, mark: EventKind, ending: Collection[EventKind]) -> float | None:
    """Seconds from the last event of this kind to the first such ending, in the newest earlier rollout with both."""
    ended: datetime | None = None
    for event in service.happened:
        if event.at >= deployment.created_at:
            continue
        if event.kind in ending:
            ended = event.at
        elif ended is not None and event.kind is mark:
            return (ended - event.at).total_seconds()
        elif event.kind is EventKind.STARTED:
            ended = None  # what came before belongs to other tasks
    return None


def start_up(happened: Sequence[ServiceEvent]) -> float | None:
    """Seconds from a task being registered to being good, in the newest rollout that got there.

    That is what the health check's grace has to cover, and the health checks themselves.
    """
    good: datetime | None = None
    for event in happened:
        if event.kind in _NEW_TASKS_ARE_GOOD:
            good = event.at
        elif good is not None and event.kind is EventKind.REGISTERED:
            return (good - event.at).total_seconds()
        elif event.kind is EventKind.STARTED or event.kind in _TROUBLE:
            good = None
    return None
