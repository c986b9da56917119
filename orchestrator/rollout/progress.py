"""What a tenant's service is doing: its rollout, the tasks that failed in it with their last words, its targets.

What a look costs: DescribeServices for 10 services, DescribeTargetHealth per service that ECS calls steady. A service
that is not is looked *into* (two ListTasks, one DescribeTasks, DescribeTargetHealth, a log per failed task): by `Watch`
at once when its events or counts show trouble, else when it is later than the last time, every `LOOK_INSIDE` seconds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Protocol

from orchestrator.aws.ecs import Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.engine.step import Unread
from orchestrator.engine.subjects import ABOUT_US
from orchestrator.errors import OrchestratorError
from orchestrator.rollout import timeline
from orchestrator.rollout.diagnosis import Failure, culprits, failed
from orchestrator.stack.contract import Stack, Tenant

AUTOPSIES = 2
"""Failed tasks of one rollout whose logs are read: a cause counts when it is seen twice."""
AT_ONCE = 8
LOOK_INSIDE = 15.0
"""Seconds after which a service that does not come up is looked into again although nothing shows trouble."""
_UPGRADE = re.compile(r"Running upgrade \S* ?-> (?P<revision>\w+)")


class Ecs(Protocol):
    """Services and tasks of the cluster."""

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        """Those that exist."""
        ...

    def tasks(self, service: str) -> tuple[Task, ...]:
        """Running and recently stopped, newest first."""
        ...

    def stream(self, task: Task, container: str) -> str:
        """The log stream's name; empty without one."""
        ...


class Targets(Protocol):
    """Target groups."""

    def health(self, target_group_arn: str) -> TargetHealth:
        """The group's targets now."""
        ...


class Logs(Protocol):
    """Log groups."""

    def tail(self, group: str, stream: str, lines: int = 50) -> tuple[str, ...]:
        """The newest lines, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Rollout:
    """One tenant's service. `failures` and `alive` are tasks of the PRIMARY deployment only, newest first.

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
    unread: Unread | None = None

    @property
    def primary(self) -> Deployment | None:
        """The deployment ECS works towards."""
        return self.service.primary if self.service else None

    @property
    def steady(self) -> bool:
        """Whether ECS's own view is good: one deployment, completed, running = desired > 0."""
        return self.service is not None and steady(self.service)


def at_present(rollout: Rollout) -> Rollout:
    """Without failures that it got over: the service was steady after the last of them, and is not because of others.

    So it is while ECS scales a service whose first task had failed to pull its image, an hour ago: out, and in again
    to the task whose target is still `initial`. ECS calls a service steady when it has its tasks and they are healthy
    (Amazon ECS service event messages), so what crashes again and again is not got over in between.
    """
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None or primary.rollout_state == "FAILED":
        return rollout  # what failed for good is not got over, though the service was steady at 0 tasks meanwhile
    good = timeline.steady_at(service, primary)
    last = max((one.task.ended_at for one in rollout.failures if one.task.ended_at), default=None)
    return replace(rollout, failures=()) if good and last and last < good else rollout


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


@dataclass(frozen=True, slots=True)
class _Glance:
    """What the last look into a service found. `signs` are those of trouble that it answered."""

    at: datetime
    signs: tuple[object, ...]
    rollout: Rollout


@dataclass
class Watch:
    """One run's memory of rollouts: evidence ECS forgets, and what was seen inside services when.

    Nothing here outlives the run. Thread-safe as far as one tenant is looked at by one thread at a time.
    """

    failures: dict[str, Failure] = field(default_factory=dict)
    """By task ARN: ECS forgets stopped tasks within the hour, and a replaced deployment's sooner."""
    found: dict[str, str] = field(default_factory=dict)
    """Service → the deployment that was PRIMARY at the first look."""
    before: dict[str, str] = field(default_factory=dict)
    """Tenant → the deployment that was PRIMARY when it was first asked whether to redeploy."""
    most: dict[str, int] = field(default_factory=dict)
    """Deployment → the most tasks ever seen running of it."""
    checks: dict[str, HealthCheck] = field(default_factory=dict)
    """Target group → its health check."""
    healed: set[str] = field(default_factory=set)
    """Tenants whose database was made again while waiting: once in a run."""
    earlier: dict[str, set[str]] = field(default_factory=dict)
    """Tenant → the deployments that were seen before this run caused one: a late read may still show them."""
    noticed: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """Tenant → the deployment that was PRIMARY at the last look, and since when it was seen to be."""
    scaled: dict[str, int] = field(default_factory=dict)
    """Tenant → the tasks that this run asked for, of a service that was at 0."""
    patient: bool = True
    """Whether it looks again: a single look has nothing to wait for."""
    began: dict[str, datetime] = field(default_factory=dict)
    """Step → when it first looked."""
    glances: dict[str, _Glance] = field(default_factory=dict)
    calm: dict[str, tuple[datetime, object, TargetHealth]] = field(default_factory=dict)

    def began_within(self, seconds: float, step: str, now: datetime) -> bool:
        """Whether the step looks again and again, and first did so less than `seconds` ago."""
        return self.patient and (now - self.began.setdefault(step, now)).total_seconds() < seconds

    def note(self, seen: Mapping[str, Rollout], caused: Collection[str], now: datetime | None = None) -> None:
        """What was there before this run caused a deployment, and since when the PRIMARY is the one it is."""
        for tenant, rollout in seen.items():
            primary = rollout.primary
            if rollout.service is None or primary is None:
                continue
            if tenant not in caused:
                self.earlier.setdefault(tenant, set()).update(one.id for one in rollout.service.deployments)
            if now is not None and self.noticed.get(tenant, ("", now))[0] != primary.id:
                self.noticed[tenant] = (primary.id, now)

    def remember(self, failures: Sequence[Failure]) -> None:
        """Keep them, with the log lines that were read."""
        for failure in failures:
            known = self.failures.get(failure.task.arn)
            if known is None or failure.log or not known.log:
                self.failures[failure.task.arn] = failure

    def of(self, deployment: Deployment) -> tuple[Failure, ...]:
        """The failures of the deployment, newest first."""
        mine = (failure for failure in self.failures.values() if failure.task.deployment == deployment.id)
        return tuple(sorted(mine, key=lambda one: str(one.task.created_at or ""), reverse=True))

    def last(self, service: Service, now: datetime) -> Rollout | None:
        """What is known of the service's inside, if that will do: nothing new shows trouble, and it isn't long ago."""
        primary, glance = service.primary, self.glances.get(service.name)
        if primary is None:
            return None
        signs = self._signs(service, primary)
        if glance is not None and glance.signs[0] == primary.id:
            fresh = (now - glance.at).total_seconds() < LOOK_INSIDE
            return glance.rollout if fresh and signs == glance.signs else None
        untroubled = signs == (primary.id, "", 0, 0, 0, 0)
        late = timeline.expectation(service, primary).is_late(now, LOOK_INSIDE)
        return Rollout(service) if untroubled and not late else None

    def well(self, service: Service, now: datetime) -> TargetHealth | None:
        """The target health of a steady service when it was good and nothing happened since, for `LOOK_INSIDE`."""
        at, newest, health = self.calm.get(service.name, (None, None, None))
        fresh = at is not None and (now - at).total_seconds() < LOOK_INSIDE
        return health if fresh and newest == service.happened[:1] else None

    def saw_steady(self, service: Service, health: TargetHealth, now: datetime) -> None:
        """The targets of a steady service were looked at."""
        if set(health.states) == {"healthy"}:
            self.calm[service.name] = (now, service.happened[:1], health)

    def saw(self, service: Service, rollout: Rollout, now: datetime) -> None:
        """The service was looked into."""
        if service.primary is not None:
            self.glances[service.name] = _Glance(now, self._signs(service, service.primary), rollout)

    def _signs(self, service: Service, primary: Deployment) -> tuple[object, ...]:
        """What of a service shows that a task ended or will: it changes with every new trouble."""
        most = self.most[primary.id] = max(self.most.get(primary.id, 0), primary.running)
        again = max(0, timeline.launched(service, primary) - service.desired)
        state = primary.rollout_state if primary.rollout_state == "FAILED" else ""
        troubles = timeline.troubles(service, primary)
        return primary.id, state, primary.failed, again, troubles, most - primary.running


class Cluster(Ecs, Protocol):
    """Services, their tasks, and starting them again."""

    def redeploy(self, service: str) -> str:
        """Force a new deployment; give its id."""
        ...


class ProgressContext(Protocol):
    """What steps need to observe rollouts. `watch`, `databases_made` and `deployments` are the run's memory."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ecs(self) -> Cluster:
        """The cluster."""
        ...

    @property
    def targets(self) -> Targets:
        """Target groups."""
        ...

    @property
    def logs(self) -> Logs:
        """Log groups."""
        ...

    @property
    def watch(self) -> Watch:
        """What was seen of rollouts: failures found here are evidence later."""
        ...

    @property
    def databases_made(self) -> set[str]:
        """Tenants whose database, role or password was made in this run."""
        ...

    @property
    def deployments(self) -> dict[str, str]:
        """Tenant → the deployment this run caused."""
        ...


def observe(
    stack: Stack,
    ecs: Ecs,
    targets: Targets,
    logs: Logs,
    *,
    watch: Watch | None = None,
    now: datetime | None = None,
    settled: Mapping[str, Rollout] | None = None,
) -> Mapping[str, Rollout]:
    """Every tenant's rollout: services in batches of 10, then per tenant its targets and, where needed, its tasks.

    With `watch` and `now`, services are looked into only when something can be new, and nothing seen is forgotten;
    without `now` every look is a thorough one. Tenants in `settled` are not looked at again.
    """
    known = settled or {}
    tenants = {name: tenant for name, tenant in stack.tenants.items() if name not in known}
    services = ecs.services([tenant.service for tenant in tenants.values()]) if tenants else {}
    eye = _Eye(ecs, targets, logs, watch or Watch(), now)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = pool.map(lambda tenant: eye.try_to_look(services.get(tenant.service), tenant), tenants.values())
        looked = dict(zip(tenants, seen, strict=True))
    return {name: known[name] if name in known else looked[name] for name in stack.tenants}


def examine(rollout: Rollout, tenant: Tenant, ecs: Ecs, targets: Targets, logs: Logs) -> Rollout:
    """The same rollout with its tasks, even when its counts are good: what loops has good counts at times."""
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None:
        return rollout
    eye = _Eye(ecs, targets, logs, Watch(), None)
    inside = eye.inside(service, primary, tenant)
    return Rollout(service, inside.targets, inside.alive, eye.watch.of(primary), rollout.watched, inside.revision)


@dataclass(frozen=True, slots=True)
class _Eye:
    """One look at all services."""

    ecs: Ecs
    targets: Targets
    logs: Logs
    watch: Watch
    now: datetime | None

    def try_to_look(self, service: Service | None, tenant: Tenant) -> Rollout:
        """One tenant; what can't be read of it is no other's matter."""
        try:
            return self.look(service, tenant)
        except ABOUT_US:
            raise
        except OrchestratorError as error:
            return Rollout(service, unread=Unread.because(error))

    def look(self, service: Service | None, tenant: Tenant) -> Rollout:
        """One tenant."""
        primary = service.primary if service else None
        if service is None or primary is None:
            return Rollout(service)
        watched = self.watch.found.setdefault(service.name, primary.id) if self.now else primary.id
        if steady(service):
            return Rollout(service, self._health(service, tenant), failures=self.watch.of(primary), watched=watched)
        inside = self.watch.last(service, self.now) if self.now else None
        if inside is None:
            inside = self.inside(service, primary, tenant)
            if self.now:
                self.watch.saw(service, inside, self.now)
        return Rollout(
            service, inside.targets, inside.alive, self.watch.of(primary), watched=watched, revision=inside.revision
        )

    def _health(self, service: Service, tenant: Tenant) -> TargetHealth:
        known = self.watch.well(service, self.now) if self.now else None
        if known is not None:
            return known
        health = self._of_groups(service, tenant)
        if self.now:
            self.watch.saw_steady(service, health, self.now)
        return health

    def _of_groups(self, service: Service, tenant: Tenant) -> TargetHealth:
        """Of the target group that has the service's tasks; of a blue/green service both, as one."""
        first, *others = map(self.targets.health, service.groups_of(tenant.target_group_arn))
        return reduce(TargetHealth.beside, others, first)

    def inside(self, service: Service, primary: Deployment, tenant: Tenant) -> Rollout:
        """Tasks, and the last words of those that failed."""
        health = self._of_groups(service, tenant)
        tasks = [task for task in self.ecs.tasks(service.name) if task.deployment == primary.id]
        ended = [task for task in tasks if failed(task)]
        unread = [task for task in ended[:AUTOPSIES] if not self._is_read(task)]
        self.watch.remember([Failure(task) for task in ended])
        self.watch.remember([Failure(task, self._words(task, tenant, culprits(task))) for task in unread])
        alive = tuple(task for task in tasks if task.status != "STOPPED" and not failed(task))
        return Rollout(service, health, alive, revision=self._revision(alive, tenant))

    def _is_read(self, task: Task) -> bool:
        known = self.watch.failures.get(task.arn)
        return known is not None and known.task.status == "STOPPED" and bool(known.log)

    def _words(self, task: Task, tenant: Tenant, containers: Sequence[str], lines: int = 50) -> tuple[str, ...]:
        group = tenant.log_group
        streams = [self.ecs.stream(task, container) for container in containers] if group else []
        return tuple(
            line for stream in streams if group and stream for line in self.logs.tail(group, stream, lines=lines)
        )

    def _revision(self, alive: Sequence[Task], tenant: Tenant) -> str:
        """How far the newest running task's migration is, by its log; empty when nothing is known."""
        running = [task for task in alive if task.status == "RUNNING"]
        if not running:
            return ""
        names = [one.name for one in running[0].containers]
        migrating = [name for name in names if "api" in name] or names
        return newest_revision(self._words(running[0], tenant, migrating, lines=20))


def newest_revision(lines: Sequence[str]) -> str:
    """The last revision that alembic says it goes to, in lines oldest first; empty without one."""
    found = (_UPGRADE.search(line) for line in reversed(lines))
    return next((match["revision"] for match in found if match), "")
