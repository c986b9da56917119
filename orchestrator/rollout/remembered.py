"""What a run's earlier looks at one service found: a value. A look is given one, and gives the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf

from orchestrator.aws.ecs import Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.aws.service_deployments import RolloutRecord
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.rollout import timeline
from orchestrator.rollout.diagnosis import Failure

DETAILS_PERIOD = 15.0
"""Seconds after which the details of a service that does not come up are read again although nothing shows trouble."""


@dataclass(frozen=True, slots=True)
class TroubleIndicators:
    """What a look at a service's counts and events shows of tasks that ended, or will: each new trouble changes it."""

    deployment: str
    gave_up: bool
    """Whether ECS has given its rollout up."""
    failed: int
    """Tasks that ECS itself counts as failed."""
    replaced: int
    """Tasks that were started beyond those desired."""
    troubles: int
    """Events that speak of trouble."""
    lost: int
    """Tasks fewer than have run at once."""

    @property
    def any_trouble(self) -> bool:
        """Whether there is any."""
        return self.gave_up or any((self.failed, self.replaced, self.troubles, self.lost))


@dataclass(frozen=True, slots=True)
class ServiceDetails:
    """What only targets and tasks show of a service. `alive`: tasks of its PRIMARY deployment, newest first."""

    targets: TargetHealth = TargetHealth()  # noqa: RUF009 - frozen
    alive: tuple[Task, ...] = ()
    revision: str = ""
    """The newest migration that the log of a task still starting shows."""


@dataclass(frozen=True, slots=True)
class DetailsLook:
    """The last time the details were read: when, the trouble that gave rise to it, and what was found."""

    at: datetime
    indicators: TroubleIndicators
    found: ServiceDetails


@dataclass(frozen=True, slots=True)
class HealthyTargets:
    """The last look at a steady service's targets that found all of them healthy."""

    at: datetime
    newest: ServiceEvent | None
    """The service's newest event then."""
    targets: TargetHealth


@dataclass(frozen=True, slots=True)
class RecordLook:
    """The last look at ECS's record of a deployment. `record` is None where ECS has none, or gives none."""

    at: datetime
    running: int
    """Tasks of the deployment that ran then."""
    newest: ServiceEvent | None
    """The service's newest event then."""
    record: RolloutRecord | None

    def will_do(self, service: Service, primary: Deployment, now: datetime) -> bool:
        """Whether nothing can be new: the deployment is over, or nothing has happened since a moment ago."""
        if self.record is not None and not self.record.is_open:
            return self.record.is_about(primary.rollout_state)
        same = (self.running, self.newest) == (primary.running, _newest(service))
        return same and (now - self.at).total_seconds() < DETAILS_PERIOD


@dataclass(frozen=True, slots=True)
class Remembered:
    """What earlier looks at one service found, evidence with it that ECS forgets. Nothing in it ever changes."""

    first_primary: str = ""
    """The deployment that was PRIMARY at the first look."""
    most_running: Mapping[str, int] = field(default_factory=dict)
    """Deployment → the most tasks seen running of it."""
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """By task ARN: ECS forgets stopped tasks within the hour, and a replaced deployment's sooner."""
    details: DetailsLook | None = None
    healthy: HealthyTargets | None = None
    running_since: Mapping[str, datetime] = field(default_factory=dict)
    """Deployment → when its newest task began to run, where no event tells that it was registered."""
    records: Mapping[str, RecordLook] = field(default_factory=dict)
    """Deployment → what ECS's own record of it said last."""

    def having_read(
        self, service: Service, primary: Deployment, record: RolloutRecord | None, now: datetime
    ) -> Remembered:
        """With this as the last that ECS's record of the deployment said."""
        look = RecordLook(now, primary.running, _newest(service), record)
        return replace(self, records={**self.records, primary.id: look})

    def having_met(self, primary: Deployment) -> Remembered:
        """With this deployment as the first, if there was none before."""
        return self if self.first_primary else replace(self, first_primary=primary.id)

    def having_counted(self, primary: Deployment) -> Remembered:
        """With its running tasks, if there were never more."""
        most = max(self.most_running.get(primary.id, 0), primary.running)
        return replace(self, most_running={**self.most_running, primary.id: most})

    def having_run(self, primary: Deployment, since: datetime) -> Remembered:
        """With its newest task running since then."""
        return replace(self, running_since={**self.running_since, primary.id: since})

    def stage(self, service: Service, primary: Deployment) -> timeline.Expectation:
        """Where the rollout is, and when its next state can come."""
        return timeline.expectation(service, primary, self.running_since.get(primary.id))

    def with_failures(self, failures: Iterable[Failure]) -> Remembered:
        """With these. What is known without its log gets it; a log that was read is not forgotten."""
        kept = dict(self.failures)
        for failure in failures:
            known = kept.get(failure.task.arn)
            if known is None or failure.log or not known.log:
                kept[failure.task.arn] = failure
        return replace(self, failures=kept)

    def having_read_details(
        self, service: Service, primary: Deployment, found: ServiceDetails, now: datetime
    ) -> Remembered:
        """With these as the details read last."""
        return replace(self, details=DetailsLook(now, self.trouble_indicators(service, primary), found))

    def having_seen_targets(self, service: Service, targets: TargetHealth, now: datetime) -> Remembered:
        """With these targets of a steady service, if all are healthy."""
        if set(targets.states) != {"healthy"}:
            return self
        return replace(self, healthy=HealthyTargets(now, _newest(service), targets))

    def of(self, deployment: Deployment) -> tuple[Failure, ...]:
        """The failures of the deployment, newest first."""
        mine = (failure for failure in self.failures.values() if failure.task.deployment == deployment.id)
        return tuple(sorted(mine, key=lambda one: str(one.task.created_at or ""), reverse=True))

    def has_log(self, task: Task) -> bool:
        """Whether the task had ended, and its log was read."""
        known = self.failures.get(task.arn)
        return known is not None and known.task.status == "STOPPED" and bool(known.log)

    def trouble_indicators(self, service: Service, primary: Deployment) -> TroubleIndicators:
        """What the service shows of tasks that ended; its tasks were counted (`having_counted`)."""
        return TroubleIndicators(
            deployment=primary.id,
            gave_up=primary.rollout_state == "FAILED",
            failed=primary.failed,
            replaced=max(0, timeline.launched(service, primary) - service.desired),
            troubles=timeline.troubles(service, primary),
            lost=self.most_running.get(primary.id, primary.running) - primary.running,
        )

    def details_of(
        self,
        service: Service,
        primary: Deployment,
        now: datetime,
        check: HealthCheck | None = None,
        *,
        most: float = inf,
        period: float = DETAILS_PERIOD,
    ) -> ServiceDetails | None:
        """What is known of the service's details, if that will do: nothing new shows trouble, and it isn't long ago.

        `check` is how its targets are checked, `most` for how many seconds nothing needs to be known of its details;
        `period`: seconds after which they are read again.
        """
        indicators, last = self.trouble_indicators(service, primary), self.details
        late = self.stage(service, primary).is_late(now, period, check, most)
        if last is not None and last.indicators.deployment == primary.id:
            if indicators != last.indicators:
                return None
            if (now - last.at).total_seconds() < period:
                return last.found
            return None if indicators.any_trouble or late else ServiceDetails(revision=last.found.revision)
        return None if indicators.any_trouble or late else ServiceDetails()

    def targets_of(self, service: Service, now: datetime, period: float = DETAILS_PERIOD) -> TargetHealth | None:
        """The targets of a steady service when they were healthy and nothing happened since, for `period` seconds."""
        last = self.healthy
        if last is None or last.newest != _newest(service):
            return None
        return last.targets if (now - last.at).total_seconds() < period else None


def _newest(service: Service) -> ServiceEvent | None:
    return next(iter(service.happened), None)
