"""The memory of a run: values that never change, shared by the threads of many looks without a word between them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.ecs import Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.first_look import FirstLooks
from orchestrator.errors import Expired, OrchestratorError, Problem, Transient
from orchestrator.rollout import progress
from orchestrator.rollout.diagnosis import Failure
from orchestrator.rollout.memory import Memory, RunMemory, ServiceHistory
from orchestrator.rollout.remembered import DETAILS_PERIOD, Remembered, ServiceDetails
from orchestrator.stack.contract import Stack
from orchestrator.steps import redeploy, services
from orchestrator.steps.services import Rules
from tests.unit.rollout.scripted_cluster import OOM, START, Clock, Cluster, Life, at, stack_of

PRIMARY = Deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS", "", "td:1", 1, 1, 0, at(0))
TENANTS = tuple(f"t{number:02}" for number in range(40))


def service(*deployments: Deployment, **changes: Any) -> Service:
    return replace(Service("a-service", "ACTIVE", 1, 1, 0, deployments or (PRIMARY,)), **changes)


# Looks of many threads.


@dataclass
class Crowd(Cluster):
    """Every task failed. Looks go on together, eight at a time, from the moment they ask for targets."""

    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(progress.AT_ONCE, timeout=60))

    def health(self, target_group_arn: str) -> TargetHealth:
        self.together.wait()
        return super().health(target_group_arn)

    def tasks(self, service: str) -> tuple[Task, ...]:
        return tuple(replace(one, arn=f"task/{service}/{one.id}") for one in super().tasks(service))


@dataclass
class Context:
    cluster: Cluster
    rollout_memory: RunMemory = field(default_factory=RunMemory)
    wait_rules: Rules = field(default_factory=Rules)
    started: Any = START
    databases_made: set[str] = field(default_factory=set)
    close_looks: CloseLooks = CloseLooks()  # noqa: RUF009 - frozen

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


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("impatient_threads")
def test_many_threads_look_at_many_services_while_others_read_what_is_remembered() -> None:
    """Two steps at once, as in a survey; readers go through all of it all the time, and nobody waits for them."""
    lives = {
        f"{name}-service": [Life(n, n + 2, ended=n + 4, reason=OOM, log={n: "x"}) for n in range(9)] for name in TENANTS
    }
    context = Context(Crowd(Clock(), stack_of(*TENANTS), lives, created=0))
    memory, over = context.rollout_memory, threading.Event()

    def read() -> int:
        times = 0
        while not over.is_set():
            value = memory.value
            for remembered in value.services.values():
                assert all(one.task.deployment == PRIMARY.id for one in remembered.of(PRIMARY))
            assert value.earlier.keys() == value.histories.keys()
            times += 1
        return times

    def looks(step: Any) -> None:
        for _ in range(5):
            step.decide(step.observe(context))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read), pool.submit(read)]
        lookers = [pool.submit(looks, step) for step in (redeploy.STEP, services.STEP)]
        try:
            for one in lookers:
                one.result()
        finally:
            over.set()
        assert all(one.result() for one in readers)
    assert {name: len(one.failures) for name, one in memory.value.services.items()} == dict.fromkeys(TENANTS, 9)
    assert {name: sum(bool(it.log) for it in one.failures.values()) for name, one in memory.value.services.items()} == (
        dict.fromkeys(TENANTS, progress.AUTOPSIES)
    )
    assert memory.value.earlier == dict.fromkeys(TENANTS, frozenset({PRIMARY.id}))


def test_who_reads_the_memory_while_a_look_ends_reads_what_it_was() -> None:
    lives = {f"{name}-service": [Life(0, 2, ended=4, reason=OOM)] for name in TENANTS}
    cluster = Cluster(Clock(), stack_of(*TENANTS), lives, created=0)
    context = Context(cluster, RunMemory(Memory({"t00": Remembered("x")}, {"t00": ServiceHistory("x")})))
    reading = iter(context.rollout_memory.value.services.items()), iter(context.rollout_memory.value.histories.items())
    redeploy.observe(context)
    assert [dict(one) for one in reading] == [{"t00": Remembered("x")}, {"t00": ServiceHistory("x")}]
    assert context.rollout_memory.value.services.keys() == set(TENANTS)


@pytest.mark.usefixtures("impatient_threads")
def test_of_many_changes_at_once_none_is_lost() -> None:
    memory, start = RunMemory(), threading.Barrier(8)

    def change(thread: int) -> None:
        start.wait(60)
        for number in range(50):
            memory.update_service(f"{thread}-{number}", lambda one: one.having_caused("ecs-svc/1"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(8)))
    assert len(memory.value.caused) == 8 * 50


# What a look that failed half-way has learned.


@dataclass
class Failing(Cluster):
    """Logs can't be read of one tenant."""

    error: OrchestratorError = field(default_factory=lambda: Transient(Problem("throttled", "slow down")))

    def tail(self, group: str, stream: str, lines: int = 50) -> tuple[str, ...]:
        if group.endswith("/a"):
            raise self.error
        return super().tail(group, stream, lines)


def failing(error: OrchestratorError) -> tuple[Context, Mapping[str, progress.Rollout]]:
    lives = {f"{name}-service": [Life(0, 2, ended=4, reason=OOM, log={1: "x"})] for name in "ab"}
    context = Context(Failing(Clock(), stack_of("a", "b"), lives, created=0, error=error))
    step: Any = services.STEP
    try:
        return context, step.observe(context).rollouts
    except Expired:
        return context, {}


@pytest.mark.parametrize("error", [Transient(Problem("throttled", "no")), Expired(Problem("expired", "sign in"))])
def test_a_look_that_failed_half_way_is_remembered_as_far_as_it_came(error: OrchestratorError) -> None:
    """The task that was seen to fail may be forgotten by ECS when its log can be read at last."""
    context, seen = failing(error)
    known = context.rollout_memory.value.services
    assert {name: [one.log for one in it.failures.values()] for name, it in known.items()} == {"a": [()], "b": [("x",)]}
    assert {it.first_primary for it in known.values()} == {PRIMARY.id}
    assert {name: one.unread is not None for name, one in seen.items()} == ({"a": True, "b": False} if seen else {})


# What is remembered of one service.


@pytest.mark.parametrize(
    ("changes", "any_trouble"),
    [
        ({}, False),
        ({"rollout_state": "FAILED"}, True),
        ({"failed": 1}, True),
        ({"running": 0}, True),
    ],
)
def test_trouble_indicators(changes: dict[str, Any], any_trouble: bool) -> None:
    """One task ran."""
    known = Remembered().having_counted(PRIMARY)
    assert known.trouble_indicators(service(), replace(PRIMARY, **changes)).any_trouble is any_trouble


def test_each_new_trouble_is_looked_into_at_once_and_the_same_one_not_again_for_a_while() -> None:
    found, started = (
        ServiceDetails(revision="abc"),
        ServiceEvent(at(1), "(service s) has started 2 tasks: (task a) (task b)."),
    )
    again = service(happened=(started,))
    known = Remembered().having_counted(PRIMARY)
    assert known.details_of(again, PRIMARY, at(2)) is None, "a task was replaced"
    looked = known.having_read_details(again, PRIMARY, found, at(2))
    assert looked.details_of(again, PRIMARY, at(2 + DETAILS_PERIOD - 1)) is found
    assert looked.details_of(again, PRIMARY, at(2 + DETAILS_PERIOD)) is None
    assert looked.details_of(again, replace(PRIMARY, failed=1), at(3)) is None
    assert looked.details_of(service(), replace(PRIMARY, id="ecs-svc/3", created_at=at(2)), at(3)) == ServiceDetails()


def test_healthy_targets_are_not_asked_again_until_something_happens() -> None:
    healthy, steady = TargetHealth({"healthy": 1}), ServiceEvent(at(0), "(service s) has reached a steady state.")
    calm = service(happened=(steady,))
    known = Remembered().having_seen_targets(calm, healthy, at(10))
    assert known.targets_of(calm, at(10 + DETAILS_PERIOD - 1)) is healthy
    assert known.targets_of(calm, at(10 + DETAILS_PERIOD)) is None
    assert known.targets_of(service(happened=(ServiceEvent(at(11), steady.text), steady)), at(11)) is None
    assert Remembered().having_seen_targets(calm, TargetHealth({"draining": 1}), at(10)).healthy is None


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "one", "two"])), max_size=12))
def test_a_log_that_was_read_is_never_forgotten(seen: list[tuple[int, str]]) -> None:
    known, logs = Remembered(), dict[str, str]()
    for number, line in seen:
        task = Task(f"t/{number}", PRIMARY.id, "td:1", "STOPPED")
        before = known
        known = known.with_failures([Failure(task, (line,) if line else ())])
        logs[task.arn] = line or logs.get(task.arn, "")
        assert before == replace(known, failures=before.failures), "the earlier value is as it was"
    assert {arn: "".join(one.log) for arn, one in known.failures.items()} == logs


# What became of one service.


def test_what_was_there_before_ours_is_noted_until_we_caused_one() -> None:
    old, ours, next_one = (replace(PRIMARY, id=f"ecs-svc/{number}") for number in (1, 2, 3))
    history = ServiceHistory().having_asked(service(old)).having_seen(service(old), None)
    history = history.having_caused(ours.id).having_seen(service(ours, replace(old, status="ACTIVE")), at(5))
    assert (history.asked_about, history.earlier, history.caused) == (old.id, frozenset({old.id}), ours.id)
    again = history.having_asked(service(ours)).having_caused(next_one.id)
    assert (again.asked_about, again.earlier) == (old.id, frozenset({old.id, ours.id}))


def test_since_when_a_deployment_is_the_newest() -> None:
    other = replace(PRIMARY, id="ecs-svc/3")
    history = ServiceHistory().having_seen(service(), at(1)).having_seen(service(), at(5))
    assert (history.newest, history.since) == (PRIMARY.id, at(1))
    assert history.having_seen(service(other), None).newest == PRIMARY.id, "a look without a time tells nothing of it"
    assert history.having_seen(service(other), at(7)).since == at(7)
    assert history.having_seen(service(replace(PRIMARY, status="ACTIVE")), at(9)) == history


def test_a_look_for_itself_knows_what_the_run_caused_and_nothing_of_what_it_saw() -> None:
    checks = {"group": HealthCheck(interval=30, healthy=2, unhealthy=10)}
    history = ServiceHistory(
        "ecs-svc/1", frozenset({"ecs-svc/1"}), "ecs-svc/2", at(1), "ecs-svc/2", database_recreated=at(2), scaled_to=1
    )
    memory = Memory({"a": Remembered("ecs-svc/1")}, {"a": history, "b": ServiceHistory("x")}, checks)
    assert memory.afresh() == Memory(histories={"a": ServiceHistory(caused="ecs-svc/2")})


def test_the_first_moments_of_a_step_are_its_own() -> None:
    looks = FirstLooks()
    assert looks.within(10, "sites", at(0))
    assert looks.within(10, "redis-auth", at(9))
    assert [looks.within(10, "sites", at(0) + timedelta(seconds=some)) for some in (9, 10)] == [True, False]
    assert looks.within(10, "redis-auth", at(18))
    assert not FirstLooks(repeated=False).within(10, "sites", at(0)), "a single look waits for nothing"
