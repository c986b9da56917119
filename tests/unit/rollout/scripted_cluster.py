"""A scripted cluster: what its tasks live through is written down, and a virtual clock shows it bit by bit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orchestrator.aws.ecs import ROLLING, Container, Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.aws.service_deployments import RolloutRecord
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.database.model import ServerContents, WantedDatabase
from orchestrator.engine.subjects import Attempts
from orchestrator.errors import Interrupted, OrchestratorError, Problem
from orchestrator.stack.contract import Stack, parse

START = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:{}:us-west-2:123456789012:{}"
DEPROVISIONING = 30
OOM = "OutOfMemoryError: Container killed due to memory usage"


def stack_of(*tenants: str) -> Stack:
    return parse(
        {
            "schema": 1,
            "stack": "s",
            "region": "us-west-2",
            "account_id": "123456789012",
            "cluster": "c",
            "database": {
                "instance": "pg",
                "host": "pg.example.com",
                "admin_user": "root",
                "admin_secret_arn": ARN.format("secretsmanager", "secret:admin"),
            },
            "runner": {"instance_id": "i-0123456789abcdef0"},
            "load_balancer": {
                "arn": ARN.format("elasticloadbalancing", "loadbalancer/app/lb/1"),
                "dns_name": "lb.example.com",
                "zone_id": "Z1",
            },
            "tenants": {
                name: {
                    "database": f"onyx_{name}",
                    "role": f"onyx_{name}",
                    "secret_arn": ARN.format("secretsmanager", f"secret:{name}"),
                    "service": f"{name}-service",
                    "hostname": f"{name}.example.com",
                    "target_group_arn": ARN.format("elasticloadbalancing", f"targetgroup/{name}/1"),
                    "log_group": f"/ecs/{name}",
                }
                for name in tenants
            },
        },
        "test",
    )


@dataclass
class Clock:
    """Time passes only by sleeping."""

    seconds: float = 1000.0

    def now(self) -> datetime:
        return at(self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self.seconds > 1e6:
            raise Interrupted(Problem("interrupted", "the test hangs"))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class Life:
    """A task: born, registered (RUNNING), healthy, ended; seconds. `forgotten`: when ECS stops showing it."""

    born: float
    up: float = math.inf
    healthy: float = math.inf
    ended: float = math.inf
    forgotten: float = math.inf
    reason: str = ""
    log: Mapping[float, str] = field(default_factory=dict)
    deployment: str = "ecs-svc/2"

    def runs(self, now: float) -> bool:
        return self.up <= now < self.ended


@dataclass
class Cluster:
    """One scripted service per name. It is ECS, the target groups, the logs and the database server in one."""

    clock: Clock
    stack: Stack
    lives: dict[str, list[Life]]
    created: float = 1000.0
    earlier: tuple[tuple[float, str], ...] = ()
    calls: Counter[str] = field(default_factory=Counter)
    made: list[str] = field(default_factory=list)
    primary: str = "ecs-svc/2"
    grace: float = 600.0
    check: HealthCheck = HealthCheck(interval=60, healthy=2, unhealthy=10)  # noqa: RUF009 - frozen
    tells_of_targets: bool = True
    """Whether its events say that targets were registered."""
    strategy: str = ROLLING
    records: Mapping[float, RolloutRecord] = field(default_factory=dict)
    """From which second on ECS's record of the deployment says what."""
    refuses_records: OrchestratorError | None = None

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        self.calls["DescribeServices"] += math.ceil(len(names) / 10)
        return {name: self._service(name) for name in names}

    def _service(self, name: str) -> Service:
        now = self.clock.seconds
        mine = [life for life in self.lives[name] if life.deployment == self.primary]
        running = sum(life.runs(now) for life in mine)
        good = any(life.healthy <= now < life.ended for life in mine)
        state = "COMPLETED" if good else "IN_PROGRESS"
        primary = Deployment(self.primary, "PRIMARY", state, "", "td:1", 1, running, 0, at(self.created))
        texts = list(self.earlier)
        for life in mine:
            texts += [(life.born, "has started 1 tasks: (task 1).")]
            texts += [(life.up, "registered 1 targets in (tg)")] if self.tells_of_targets else []
            texts += [(life.healthy, "has reached a steady state.")]
        happened = tuple(ServiceEvent(at(when), text) for when, text in sorted(texts, reverse=True) if when <= now)
        return Service(
            name, "ACTIVE", 1, running, 0, (primary,), happened=happened, grace=self.grace, strategy=self.strategy
        )

    def tasks(self, service: str) -> tuple[Task, ...]:
        self.calls.update({"ListTasks": 2, "DescribeTasks": 1})
        now = self.clock.seconds
        shown = [(n, life) for n, life in enumerate(self.lives[service]) if life.born <= now < life.forgotten]
        return tuple(self._task(n, life) for n, life in reversed(shown))

    def _task(self, number: int, life: Life) -> Task:
        arn = f"task/{number}"
        if life.ended > self.clock.seconds:
            status = "RUNNING" if life.runs(self.clock.seconds) else "PENDING"
            began = at(life.up) if status == "RUNNING" else None
            api = Container("api")
            return Task(arn, life.deployment, "td:1", status, at(life.born), containers=(api,), started_at=began)
        code = "EssentialContainerExited"
        api = Container("api", "STOPPED", 1, life.reason)
        born, gone = at(life.born), at(life.ended + DEPROVISIONING)
        return Task(
            arn, life.deployment, "td:1", "STOPPED", born, gone, code, "Essential", (api,), stopping_at=at(life.ended)
        )

    def running(self, services: Sequence[str]) -> Attempts[tuple[Task, ...]]:
        self.calls.update({"ListTasks": len(services), "DescribeTasks": 1})
        now = self.clock.seconds
        alive = [[self._task(n, one) for n, one in enumerate(self.lives[name]) if one.runs(now)] for name in services]
        return Attempts({name: tuple(tasks) for name, tasks in zip(services, alive, strict=True)}, {})

    def stream(self, task: Task, container: str) -> str:
        return f"{container}/{task.id}"

    def environment(self, _task: Task) -> Mapping[str, str]:
        return {}

    def tail(self, group: str, stream: str, lines: int = 50) -> tuple[str, ...]:
        self.calls["GetLogEvents"] += 1
        life = self.lives[f"{group.rpartition('/')[2]}-service"][int(stream.rpartition("/")[2])]
        return tuple(line for when, line in sorted(life.log.items()) if when <= self.clock.seconds)[-lines:]

    def health(self, target_group_arn: str) -> TargetHealth:
        self.calls["DescribeTargetHealth"] += 1
        now = self.clock.seconds
        lives = self.lives[f"{target_group_arn.split('/')[1]}-service"]
        states = ["healthy" if life.healthy <= now else "initial" for life in lives if life.runs(now)]
        return TargetHealth(dict(Counter(states)))

    def checks(self, target_group_arns: Iterable[str]) -> Mapping[str, HealthCheck]:
        self.calls["DescribeTargetGroups"] += 1
        return dict.fromkeys(target_group_arns, self.check)

    def observe(self, wanted: Sequence[WantedDatabase]) -> ServerContents:
        raise NotImplementedError

    def ensure(self, wanted: Sequence[WantedDatabase]) -> None:
        self.made += [one.database for one in wanted]

    def record(self, _service: str, known: str = "") -> RolloutRecord | None:
        self.calls.update({"DescribeServiceDeployments": 1, "ListServiceDeployments": int(not known)})
        if self.refuses_records:
            raise self.refuses_records
        told = [one for when, one in sorted(self.records.items()) if when <= self.clock.seconds]
        return told[-1] if told else None

    def stop(self, _deployment: str) -> None:
        raise NotImplementedError

    def takes(self, _definition: str) -> bool:
        raise NotImplementedError

    def redeploy(self, service: str, definition: str = "") -> str:
        self.calls["UpdateService"] += 1
        self.primary, self.created = "ecs-svc/3", self.clock.seconds
        for life in self.lives[service]:
            if life.deployment == self.primary:
                life.born += self.created
                life.up, life.healthy, life.ended = (
                    life.born + life.up,
                    life.born + life.healthy,
                    life.born + life.ended,
                )
        return self.primary
