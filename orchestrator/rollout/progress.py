"""What a tenant's services are doing: a rollout, the tasks that failed in it with their last words, its targets.

What a look costs: DescribeServices for 10 services, DescribeTargetHealth per service that ECS calls steady, but for
those that are spared it (`engine.close_looks`). A service
that is not is looked *into* (two ListTasks, one DescribeTasks, DescribeTargetHealth, a log per failed task; of a native
deployment, and of one that failed, ListServiceDeployments once and DescribeServiceDeployments): with a memory at once
when its events or counts show trouble, else when it is later than the last time, every `DETAILS_PERIOD` seconds
(`rollout/remembered.py`), of many services less often (`rollout/pacing.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from math import inf
from typing import Protocol

from orchestrator.aws.ecs import Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.aws.service_deployments import RolloutRecord
from orchestrator.aws.service_events import EventKind
from orchestrator.engine.step import Subject, Unread
from orchestrator.engine.subjects import ABOUT_US, Attempts
from orchestrator.errors import OrchestratorError
from orchestrator.rollout import pacing, stages, timeline
from orchestrator.rollout.diagnosis import Failure, culprits, failed
from orchestrator.rollout.memory import RunMemory
from orchestrator.rollout.remembered import DETAILS_PERIOD as DETAILS_PERIOD  # noqa: PLC0414 - who looks finds it here
from orchestrator.rollout.remembered import Remembered, ServiceDetails
from orchestrator.stack.contract import Stack
from orchestrator.stack.services import NamedService

AUTOPSIES = 2
"""Failed tasks of one rollout whose logs are read: a cause counts when it is seen twice."""
AT_ONCE = 8
_UPGRADE = re.compile(r"Running upgrade \S* ?-> (?P<revision>\w+)")


class EcsCluster(Protocol):
    """Services and tasks of the cluster."""

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        """Those that exist."""
        ...

    def tasks(self, service: str) -> tuple[Task, ...]:
        """Running and recently stopped, newest first."""
        ...

    def running(self, services: Sequence[str]) -> Attempts[tuple[Task, ...]]:
        """The tasks that each service wants to run now."""
        ...

    def stream(self, task: Task, container: str) -> str:
        """The log stream's name; empty without one."""
        ...

    def environment(self, task: Task) -> Mapping[str, str]:
        """The plain variables of its task definition."""
        ...

    def record(self, service: str, known: str = "") -> RolloutRecord | None:
        """ECS's record of the newest deployment, or of the one whose ARN is `known`."""
        ...

    def stop(self, deployment: str) -> None:
        """Have a deployment go back to what ran before."""
        ...

    def takes(self, definition: str) -> bool:
        """Whether new deployments can have this task definition: it was not deregistered."""
        ...

    def redeploy(self, service: str, definition: str = "") -> str:
        """Force a new deployment, with this task definition or the same; give its id."""
        ...


class ReadsTargets(Protocol):
    """Target groups."""

    def health(self, target_group_arn: str) -> TargetHealth:
        """The group's targets now."""
        ...


class ReadsLogTail(Protocol):
    """Log groups."""

    def tail(self, group: str, stream: str, lines: int = 50) -> tuple[str, ...]:
        """The newest lines, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Rollout:
    """One service. `failures` and `alive` are tasks of the PRIMARY deployment only, newest first.

    A service in its steady state is not looked into: `alive` is empty then, and `failures` are those remembered.
    `watched` is the deployment that was PRIMARY when this run first looked; `revision` is the newest migration that the
    log of a task still starting shows. `unread`: why the rest could not be looked at, where it couldn't; then it is of
    no use but to say so.
    """

    service: Service | None
    targets: TargetHealth = TargetHealth()  # noqa: RUF009 - frozen
    alive: tuple[Task, ...] = ()
    failures: tuple[Failure, ...] = ()
    watched: str = ""
    revision: str = ""
    running_since: datetime | None = None
    """When its newest task began to run, where no event tells that it was registered."""
    record: RolloutRecord | None = None
    """ECS's own record of the deployment, where that can tell more than the service does (`stages.tells`)."""
    unread: Unread | None = None
    spared: bool = False
    """Its targets were not asked for: nothing shows trouble, by ECS's own word (`Service.looks_well`)."""

    @property
    def serves(self) -> bool:
        """Whether it is steady, and a target is healthy, as far as that was asked."""
        return self.steady and (self.spared or self.targets.healthy > 0)

    @property
    def primary(self) -> Deployment | None:
        """The deployment ECS works towards."""
        return self.service.primary if self.service else None

    @property
    def stage(self) -> timeline.Expectation | None:
        """Where the rollout is, and when its next state can come; None of a service that isn't there."""
        service, primary = self.service, self.primary
        return timeline.expectation(service, primary, self.running_since) if service and primary else None

    @property
    def steady(self) -> bool:
        """Whether ECS's own view is good: one deployment, completed, running = desired > 0."""
        return self.service is not None and steady(self.service)


def steady(service: Service) -> bool:
    """Counts alone say too little (the old tasks satisfy them): the PRIMARY must be the only one, and completed."""
    primary = service.primary
    if primary is not None and not service.deploys_itself:
        # What another controller is preparing beside it is not judged: the PRIMARY task set has the visitors.
        return primary.rollout_state == "COMPLETED" and primary.running == primary.desired > 0
    return (
        primary is not None
        and len(service.deployments) == 1
        and primary.rollout_state in ("COMPLETED", "")
        and service.running == service.desired > 0
        and service.pending == 0
    )


class ProgressContext(Protocol):
    """What steps need to observe rollouts. `rollout_memory` and `databases_made` are what the run remembers."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ecs(self) -> EcsCluster:
        """The cluster."""
        ...

    @property
    def targets(self) -> ReadsTargets:
        """Target groups."""
        ...

    @property
    def logs(self) -> ReadsLogTail:
        """Log groups."""
        ...

    @property
    def rollout_memory(self) -> RunMemory:
        """What was seen of services, evidence later, and what was done to them."""
        ...

    @property
    def databases_made(self) -> set[str]:
        """Tenants whose database, role or password was made in this run."""
        ...


def observe(
    stack: Stack,
    ecs: EcsCluster,
    targets: ReadsTargets,
    logs: ReadsLogTail,
    *,
    memory: RunMemory | None = None,
    now: datetime | None = None,
    settled: Mapping[str, Rollout] | None = None,
    most: float = inf,
    spare: Callable[[Collection[Subject]], Collection[Subject]] = lambda _: (),
    glance: Collection[Subject] = (),
) -> Mapping[str, Rollout]:
    """By subject each service's rollout: services in batches of 10, then of each its targets and, if needed, its tasks.

    With `memory` and `now`, services are looked into only when something can be new, and nothing seen is forgotten;
    without `now` every look is a thorough one. Those in `settled` are not looked at again. After `most` seconds in
    one stage of its rollout a service is looked into in any case. Of those that look well, `spare` names the ones
    whose targets are not asked for. None in `glance` is looked into: what the service itself shows will do.
    """
    memory, settled = memory or RunMemory(), settled or {}
    asked = {name: one for name, one in stack.services.items() if name not in settled}
    services = ecs.services([one.name for one in asked.values()]) if asked else {}
    known = memory.value.services
    shown = {name: services[one.name] for name, one in asked.items() if one.name in services}
    well = [name for name, one in shown.items() if one.looks_well(asked[name].target_group_arn)]
    spared = frozenset(spare(well))
    period = pacing.period(len(asked) - len(spared), DETAILS_PERIOD)
    reader = _RolloutReader(ecs, targets, logs, memory.value.checks, most, period)

    def look(name: str) -> ServiceLook:
        remembered, spares = known.get(name, Remembered()), name in spared
        if name in glance:
            return ServiceLook(Rollout(shown.get(name)), remembered)
        return reader.look(shown.get(name), asked[name], remembered, now, spares=spares)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        looking = {name: pool.submit(copy_context().run, look, name) for name in asked}
        looks = {name: one.result() for name, one in looking.items()}
    memory.update(lambda value: value.with_services({name: one.remembered for name, one in looks.items()}))
    for one in looks.values():
        if isinstance(one.failure, ABOUT_US):
            raise one.failure
    return {name: settled[name] if name in settled else looks[name].rollout for name in stack.services}


def examine(
    rollout: Rollout, asked: NamedService, ecs: EcsCluster, targets: ReadsTargets, logs: ReadsLogTail
) -> Rollout:
    """The same rollout with its tasks, even when its counts are good: what loops has good counts at times."""
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None:
        return rollout
    seen = _RolloutReader(ecs, targets, logs).look(service, asked, Remembered(), None, thorough=True)
    if seen.failure is not None:
        raise seen.failure
    return replace(seen.rollout, watched=rollout.watched)


@dataclass(frozen=True, slots=True)
class ServiceLook:
    """What one look at a service gave: what is told, what is remembered, why it could not be read whole."""

    rollout: Rollout
    remembered: Remembered
    failure: OrchestratorError | None = None


@dataclass(frozen=True, slots=True)
class _RolloutReader:
    """Who looks at services. Used by many threads: it holds nothing that changes."""

    ecs: EcsCluster
    targets: ReadsTargets
    logs: ReadsLogTail
    checks: Mapping[str, HealthCheck] = field(default_factory=dict)
    """Target group → its health check, as far as they are known."""
    most: float = inf
    """Seconds in one stage of a rollout after which it is looked into in any case."""
    period: float = DETAILS_PERIOD
    """Seconds after which what was seen of one is asked for again."""

    def look(
        self,
        service: Service | None,
        asked: NamedService,
        known: Remembered,
        now: datetime | None,
        *,
        thorough: bool = False,
        spares: bool = False,
    ) -> ServiceLook:
        """One service. What can't be read of it is no other's matter, and what was learned before is remembered."""
        primary = service.primary if service else None
        if service is None or primary is None:
            return ServiceLook(Rollout(service), known)
        known = known.having_met(primary) if now else known
        try:
            if spares:
                details = ServiceDetails()
            elif steady(service) and not thorough:
                details, known = self._of_steady(service, asked, known, now)
            else:
                known = self._began(service, primary, known.having_counted(primary), now) if now else known
                check = self.checks.get(asked.target_group_arn)
                recent = (
                    known.details_of(service, primary, now, check, most=self.most, period=self.period) if now else None
                )
                if recent is None:
                    targets, tasks = self._targets_of(service, asked), self._tasks_of(service, primary)
                    known = known.with_failures(Failure(task) for task in tasks if failed(task))
                    known = known.with_failures(self._unread_failures(tasks, asked, known))
                    recent = self._details(targets, tasks, asked)
                    known = known.having_read_details(service, primary, recent, now) if now else known
                details = recent
            record, known = self._recorded(service, primary, known, now)
        except OrchestratorError as error:
            return ServiceLook(Rollout(service, unread=Unread.because(error)), known, error)
        watched = known.first_primary if now else primary.id
        failures, running = known.of(primary), known.running_since.get(primary.id)
        seen = Rollout(service, details.targets, details.alive, failures, watched, details.revision, running, record)
        return ServiceLook(replace(seen, spared=spares), known)

    def _recorded(
        self, service: Service, primary: Deployment, known: Remembered, now: datetime | None
    ) -> tuple[RolloutRecord | None, Remembered]:
        """What ECS's own record says. Where it can't be read, what the service itself shows has to do."""
        if not stages.tells(service, primary, known.first_primary):
            return None, known
        last = known.records.get(primary.id)
        if last is not None and now is not None and last.will_do(service, primary, now):
            return last.record, known
        before = last.record if last else None
        try:
            record = self.ecs.record(service.name, before.arn if before else "")
        except ABOUT_US:
            raise
        except OrchestratorError:
            record = before
        record = record if record and record.is_about(primary.rollout_state) else None
        return record, known.having_read(service, primary, record, now) if now else known

    def _began(self, service: Service, primary: Deployment, known: Remembered, now: datetime) -> Remembered:
        """With when its newest task began to run, where neither an event nor an earlier rollout tells."""
        stage = known.stage(service, primary)
        told = stage.seconds is not None or stage.mark is not EventKind.STARTED or service.target_groups == ()
        if told or not primary.running >= service.desired > 0:
            return known
        tasks = self.ecs.running([service.name]).results.get(service.name, ())
        began = (task.started_at for task in tasks if task.deployment == primary.id)
        return known.having_run(primary, max((at for at in began if at), default=now))

    def _of_steady(
        self, service: Service, asked: NamedService, known: Remembered, now: datetime | None
    ) -> tuple[ServiceDetails, Remembered]:
        """Its targets alone, and not those when they were healthy a moment ago."""
        recent = known.targets_of(service, now, self.period) if now else None
        if recent is not None:
            return ServiceDetails(recent), known
        targets = self._targets_of(service, asked)
        return ServiceDetails(targets), known.having_seen_targets(service, targets, now) if now else known

    def _targets_of(self, service: Service, asked: NamedService) -> TargetHealth:
        """Of the group that has the service's tasks (a worker has none); of a blue/green service both, as one."""
        if not asked.target_group_arn:
            return TargetHealth()
        first, *others = map(self.targets.health, service.groups_of(asked.target_group_arn))
        return reduce(TargetHealth.beside, others, first)

    def _tasks_of(self, service: Service, primary: Deployment) -> Sequence[Task]:
        """Those of its PRIMARY deployment, newest first."""
        return [task for task in self.ecs.tasks(service.name) if task.deployment == primary.id]

    def _details(self, targets: TargetHealth, tasks: Sequence[Task], asked: NamedService) -> ServiceDetails:
        """What is seen of those that have not ended, with how far the newest one's migration is."""
        alive = tuple(task for task in tasks if task.status != "STOPPED" and not failed(task))
        return ServiceDetails(targets, alive, self._revision(alive, asked))

    def _unread_failures(self, tasks: Sequence[Task], asked: NamedService, known: Remembered) -> Sequence[Failure]:
        """The newest of the tasks that failed, with their logs; those whose log was read are left out."""
        ended = [task for task in tasks if failed(task)][:AUTOPSIES]
        unread = [task for task in ended if not known.has_log(task)]
        return [Failure(one, self._words(one, asked, culprits(one)), self.ecs.environment(one)) for one in unread]

    def _words(self, task: Task, asked: NamedService, containers: Sequence[str], lines: int = 50) -> tuple[str, ...]:
        group = asked.log_group
        streams = [self.ecs.stream(task, container) for container in containers] if group else []
        return tuple(
            line for stream in streams if group and stream for line in self.logs.tail(group, stream, lines=lines)
        )

    def _revision(self, alive: Sequence[Task], asked: NamedService) -> str:
        """How far the newest running task's migration is, by its log; empty when nothing is known."""
        running = [task for task in alive if task.status == "RUNNING"]
        if not running:
            return ""
        names = [one.name for one in running[0].containers]
        migrating = [name for name in names if "api" in name] or names
        return newest_revision(self._words(running[0], asked, migrating, lines=20))


def newest_revision(lines: Sequence[str]) -> str:
    """The last revision that alembic says it goes to, in lines oldest first; empty without one."""
    found = (_UPGRADE.search(line) for line in reversed(lines))
    return next((match["revision"] for match in found if match), "")
