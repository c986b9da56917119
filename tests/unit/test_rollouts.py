"""The `services` step over time: a scripted cluster, the real loop, a virtual clock."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from orchestrator import rollouts
from orchestrator.aws.ecs import Container, Deployment, Service, ServiceEvent, Task
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.contract import Stack, parse
from orchestrator.database.model import Observed, Wanted
from orchestrator.engine.runner import Ending, Limits, run_step
from orchestrator.errors import Interrupted, Outcome, Problem
from orchestrator.events import Event, FindingReported, StepDone, StepWaiting
from orchestrator.rollouts import Watch
from orchestrator.steps import services
from orchestrator.steps.services import Rules

START = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:{}:us-west-2:123456789012:{}"
DB = 'FATAL:  database "onyx_a" does not exist'
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
            texts += [(life.born, "has started 1 tasks: (task 1)."), (life.up, "registered 1 targets in (tg)")]
            texts += [(life.healthy, "has reached a steady state.")]
        happened = tuple(ServiceEvent(at(when), text) for when, text in sorted(texts, reverse=True) if when <= now)
        return Service(name, "ACTIVE", 1, running, 0, (primary,), happened=happened, grace=self.grace)

    def tasks(self, service: str) -> tuple[Task, ...]:
        self.calls.update({"ListTasks": 2, "DescribeTasks": 1})
        now = self.clock.seconds
        shown = [(n, life) for n, life in enumerate(self.lives[service]) if life.born <= now < life.forgotten]
        return tuple(self._task(n, life) for n, life in reversed(shown))

    def _task(self, number: int, life: Life) -> Task:
        arn = f"task/{number}"
        if life.ended > self.clock.seconds:
            status = "RUNNING" if life.runs(self.clock.seconds) else "PENDING"
            return Task(arn, life.deployment, "td:1", status, at(life.born), containers=(Container("api"),))
        code = "EssentialContainerExited"
        api = Container("api", "STOPPED", 1, life.reason)
        born, gone = at(life.born), at(life.ended + DEPROVISIONING)
        return Task(
            arn, life.deployment, "td:1", "STOPPED", born, gone, code, "Essential", (api,), stopping_at=at(life.ended)
        )

    def stream(self, task: Task, container: str) -> str:
        return f"{container}/{task.id}"

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
        return dict.fromkeys(target_group_arns, HealthCheck(60, 2, 10))

    def observe(self, wanted: Sequence[Wanted]) -> Observed:
        raise NotImplementedError

    def ensure(self, wanted: Sequence[Wanted]) -> None:
        self.made += [one.database for one in wanted]

    def redeploy(self, service: str) -> str:
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


@dataclass
class Context:
    cluster: Cluster
    wait_rules: Rules = field(default_factory=lambda: Rules(settle=0))
    started: datetime = START + timedelta(seconds=1000)
    watch: Watch = field(default_factory=Watch)
    deployments: dict[str, str] = field(default_factory=dict)
    databases_made: set[str] = field(default_factory=set)

    @property
    def now(self) -> Any:
        return self.cluster.clock.now

    @property
    def stack(self) -> Stack:
        return self.cluster.stack

    def __getattr__(self, part: str) -> Cluster:
        if part in ("ecs", "targets", "logs", "database"):
            return self.cluster
        raise AttributeError(part)


def waits(context: Context, timeout: float = 1800) -> tuple[Mapping[str, Ending], list[Event]]:
    """The `services` step by the real loop, until it ends."""
    events: list[Event] = []
    limits = Limits(steps={"services": timeout})
    endings = run_step(services.STEP, context, clock=context.cluster.clock, emit=events.append, limits=limits)
    return endings, events


def one(*lives: Life, **more: Any) -> Context:
    return Context(Cluster(Clock(), stack_of("a"), {"a-service": list(lives)}, **more))


def problem(endings: Mapping[str, Ending]) -> Problem:
    found = endings["a"].problem
    assert found is not None, endings
    return found


def an_earlier_rollout(seconds: float) -> tuple[tuple[float, str], ...]:
    return (
        (100, "has started 1 tasks: (task 0)."),
        (105, "registered 1 targets in (tg)"),
        (100 + seconds, "has reached a steady state."),
    )


@pytest.mark.parametrize("takes", [12.0, 20.0, 27.0])
@pytest.mark.parametrize("drift", [0.9, 1.0, 1.1])
def test_a_rollout_like_the_last_one_is_seen_at_once_and_costs_few_calls(takes: float, drift: float) -> None:
    good = 1000 + takes * drift
    context = one(Life(1000, 1005, good), earlier=an_earlier_rollout(takes))
    endings, _ = waits(context)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert context.cluster.clock.seconds - good <= 1.0
    assert context.cluster.calls.total() <= (15 if drift <= 1 else 20)


def test_steady_services_cost_one_call_for_ten_and_their_targets() -> None:
    names = [f"t{n}" for n in range(20)]
    lives = {f"{name}-service": [Life(10, 20, 30)] for name in names}
    context = Context(Cluster(Clock(), stack_of(*names), lives, created=5))
    endings, _ = waits(context)
    assert {ending.outcome for ending in endings.values()} == {Outcome.SUCCEEDED}
    assert context.cluster.calls == {"DescribeServices": 2, "DescribeTargetHealth": 20}


def test_it_must_hold() -> None:
    context = one(Life(1000, 1005, 1006))
    context.wait_rules = Rules(settle=10)
    endings, events = waits(context)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert context.cluster.clock.seconds >= 1005 + 10
    assert any("settling" in event.detail for event in events if isinstance(event, StepWaiting))


def test_a_task_that_is_good_for_a_moment_only_is_no_success() -> None:
    context = one(*(Life(born, born + 5, born + 6, born + 9, reason=OOM) for born in range(1000, 5000, 10)))
    context.wait_rules = Rules(settle=10)
    endings, _ = waits(context)
    assert problem(endings).code == "out-of-memory"


def test_a_crash_loop_is_named_with_its_second_task() -> None:
    lives = [Life(born, born + 5, ended=born + 30, reason=OOM) for born in range(1000, 5000, 40)]
    context = one(*lives)
    endings, _ = waits(context)
    assert problem(endings).code == "out-of-memory"
    assert context.cluster.clock.seconds <= 1000 + 2 * 40 + rollouts.LOOK_INSIDE


def test_evidence_outlives_ecss_memory() -> None:
    """ECS forgets each task within seconds: nobody who looks once sees two of them."""
    lives = [
        Life(born, born + 5, ended=born + 30, forgotten=born + 30 + 20, log={born + 29: f"ValueError: {born}"})
        for born in range(1000, 5000, 40)
    ]
    context = one(*lives)
    endings, _ = waits(context)
    assert problem(endings).code == "container-exited"
    assert len(context.watch.failures) >= 2
    assert all(failure.log for failure in list(context.watch.failures.values())[:2])


def migration(start: float, steps: int, seconds: float) -> dict[float, str]:
    lines = {start + n * seconds: f"INFO  [alembic] Running upgrade r{n} -> r{n + 1}, t" for n in range(steps)}
    return {start - 1: "INFO  [alembic] Running upgrade  -> r0, the first one", **lines}


def test_a_migration_that_advances_has_the_time_it_needs() -> None:
    context = one(Life(1000, 1010, 1010 + 900, log=migration(1012, 30, 29)))
    endings, events = waits(context, timeout=120)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert any("migrated to r12" in event.detail for event in events if isinstance(event, StepWaiting))


def test_a_migration_that_hangs_has_the_steps_time() -> None:
    context = one(Life(1000, 1010, 1010 + 900, log=migration(1012, 3, 10)))
    endings, _ = waits(context, timeout=120)
    assert endings["a"].outcome is Outcome.TIMED_OUT
    assert context.cluster.clock.seconds <= 1032 + rollouts.LOOK_INSIDE + 120 + 15


def test_a_lost_database_is_made_once_and_the_service_started_once() -> None:
    lost = [Life(born, born + 5, ended=born + 30, log={born + 29: DB}) for born in range(1000, 5000, 40)]
    context = one(*lost, Life(1, 5, 20, deployment="ecs-svc/3"))
    context.wait_rules = Rules(settle=0, heals=True)
    endings, events = waits(context)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert endings["a"].changed == 1
    assert context.cluster.made == ["onyx_a"]
    assert context.cluster.calls["UpdateService"] == 1
    assert context.deployments == {"a": "ecs-svc/3"}
    assert [event.changed for event in events if isinstance(event, StepDone)] == [1]


def test_a_database_lost_again_is_not_made_again() -> None:
    lost = [Life(born, born + 5, ended=born + 30, log={born + 29: DB}) for born in range(1000, 2000, 40)]
    again = [Life(born, 5, math.inf, 30, log={0: DB}, deployment="ecs-svc/3") for born in range(1, 1000, 40)]
    context = one(*lost, *again)
    context.wait_rules = Rules(settle=0, heals=True)
    endings, _ = waits(context)
    assert problem(endings).code == "database-missing"
    assert context.cluster.made == ["onyx_a"]
    assert context.cluster.calls["UpdateService"] == 1


@pytest.mark.parametrize(("grace", "warned"), [(60, False), (0, True)])
def test_a_grace_shorter_than_the_last_start_up_is_said(grace: float, warned: bool) -> None:
    """60 s x 10 checks, and the last start-up took 640 s."""
    earlier = ((100.0, "registered 1 targets in (tg)"), (740.0, "has reached a steady state."))
    context = one(Life(1000, 1005, 1100), earlier=earlier, grace=grace)
    _, events = waits(context)
    found = [event for event in events if isinstance(event, FindingReported)]
    assert [event.code for event in found] == (["grace-too-short"] if warned else [])


def test_a_look_without_memory_is_a_thorough_one() -> None:
    context = one(Life(990, 995, ended=999, reason=OOM), Life(1000, 1005))
    cluster = context.cluster
    cluster.created = 980
    look = partial(rollouts.observe, cluster.stack, cluster, cluster, cluster)
    assert [len(look()["a"].failures), len(look()["a"].alive)] == [1, 1]
    assert cluster.calls["DescribeTasks"] == 2


def test_a_service_is_looked_into_when_it_is_late_and_not_again_at_once() -> None:
    context = one(Life(1000, 1005))
    cluster = context.cluster
    look = partial(rollouts.observe, cluster.stack, cluster, cluster, cluster, watch=context.watch)
    seen = []
    for now in (1006, 1008, 1005 + rollouts.LOOK_INSIDE, 1006 + rollouts.LOOK_INSIDE):
        cluster.clock.seconds = now
        look(now=at(now))
        seen.append(cluster.calls["DescribeTasks"])
    assert seen == [0, 0, 1, 1]


def test_failures_that_a_service_got_over_are_not_why_it_is_short_of_tasks_now() -> None:
    failed, good, failed_again = Life(1000, ended=1010, reason=OOM), Life(1012, 1015, 1030), Life(1100, ended=1110)
    context = one(failed, good, failed_again)
    cluster, tenant = context.cluster, context.stack.tenants["a"]
    seen = []
    for now in (1020, 1090, 1115):
        cluster.clock.seconds = now
        look = rollouts.observe(cluster.stack, cluster, cluster, cluster)["a"]
        inside = rollouts.examine(look, tenant, cluster, cluster, cluster)
        seen.append((len(inside.failures), len(rollouts.at_present(inside).failures)))
    assert seen == [(1, 1), (1, 0), (2, 2)]
