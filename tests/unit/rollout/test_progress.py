"""The `services` step over time: a scripted cluster, the real loop, a virtual clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.runner import Ending, Limits, run_step
from orchestrator.engine.step import Todo
from orchestrator.errors import Outcome, Problem
from orchestrator.events import Event, FindingReported, StepDone, StepWaiting
from orchestrator.rollout import progress, recovery
from orchestrator.rollout.memory import RunMemory
from orchestrator.stack.contract import Stack
from orchestrator.steps import redeploy, services
from orchestrator.steps.services import Rules
from tests.unit.rollout.scripted_cluster import OOM, START, Clock, Cluster, Life, at, stack_of

DB = 'FATAL:  database "onyx_a" does not exist'


@dataclass
class Context:
    cluster: Cluster
    wait_rules: Rules = field(default_factory=lambda: Rules(settle=0))
    started: datetime = START + timedelta(seconds=1000)
    rollout_memory: RunMemory = field(default_factory=RunMemory)
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


FIRST_ROLLOUTS = [
    (launch, interval, healthy, settles, told)
    for launch, interval, healthy in ((6, 5, 2), (15, 5, 2), (20, 10, 2), (40, 30, 2), (45, 60, 2))
    for settles in (0.1, 0.7, 1.5)
    for told in (True, False)
]
"""Seconds until the task runs, its group's checks, seconds until ECS is content, whether events tell of targets."""


@pytest.mark.parametrize(("launch", "interval", "healthy", "settles", "told"), FIRST_ROLLOUTS)
def test_a_first_rollout_is_seen_at_once_and_costs_few_calls(
    launch: int, interval: int, healthy: int, settles: float, told: bool
) -> None:
    """No earlier rollout tells how long it takes: the task's state and its target group's own checks do."""
    good = 1000 + launch + interval * healthy + settles
    check = HealthCheck(interval=interval, healthy=healthy, unhealthy=10)
    context = one(Life(1000, 1000 + launch, good), check=check, tells_of_targets=told)
    context.wait_rules = Rules(settle=10)
    endings, _ = waits(context)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert context.cluster.clock.seconds - good <= 0.6
    most = 15 + (0 if told else 2) + (1 if interval == 60 else 0)
    assert context.cluster.calls.total() <= most


@pytest.mark.parametrize("unhealthy_for", [1, 2, 3])
def test_an_application_that_boots_longer_than_its_first_checks_is_seen_after_the_next(unhealthy_for: int) -> None:
    good = 1000 + 8 + 5 * (2 + unhealthy_for) + 0.3
    context = one(Life(1000, 1008, good), check=HealthCheck(interval=5, healthy=2, unhealthy=10))
    endings, _ = waits(context)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert context.cluster.clock.seconds - good <= 0.6
    assert context.cluster.calls.total() <= 35


def test_steady_services_cost_one_call_for_ten_and_their_targets() -> None:
    names = [f"t{n}" for n in range(20)]
    lives = {f"{name}-service": [Life(10, 20, 30)] for name in names}
    context = Context(Cluster(Clock(), stack_of(*names), lives, created=5))
    endings, _ = waits(context)
    assert {ending.outcome for ending in endings.values()} == {Outcome.SUCCEEDED}
    assert context.cluster.calls == {"DescribeServices": 2, "DescribeTargetHealth": 20}


def test_it_must_hold() -> None:
    context = one(Life(1000, 1005, 1006), check=HealthCheck(interval=1, healthy=2, unhealthy=10))
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
    assert context.cluster.clock.seconds <= 1000 + 2 * 40 + progress.DETAILS_PERIOD


def test_evidence_outlives_ecss_memory() -> None:
    """ECS forgets each task within seconds: nobody who looks once sees two of them."""
    lives = [
        Life(born, born + 5, ended=born + 30, forgotten=born + 30 + 20, log={born + 29: f"ValueError: {born}"})
        for born in range(1000, 5000, 40)
    ]
    context = one(*lives)
    endings, _ = waits(context)
    assert problem(endings).code == "container-exited"
    failures = context.rollout_memory.value.services["a"].failures
    assert len(failures) >= 2
    assert all(failure.log for failure in list(failures.values())[:2])


def migration(start: float, steps: int, seconds: float) -> dict[float, str]:
    lines = {start + n * seconds: f"INFO  [alembic] Running upgrade r{n} -> r{n + 1}, t" for n in range(steps)}
    return {start - 1: "INFO  [alembic] Running upgrade  -> r0, the first one", **lines}


def test_a_migration_that_advances_has_the_time_it_needs() -> None:
    context = one(Life(1000, 1010, 1010 + 900, log=migration(1012, 30, 29)))
    context.wait_rules = Rules(settle=0, timeout=120)
    endings, events = waits(context, timeout=120)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert any("migrated to r12" in event.detail for event in events if isinstance(event, StepWaiting))


def test_a_migration_that_hangs_has_the_steps_time() -> None:
    context = one(Life(1000, 1010, 1010 + 900, log=migration(1012, 3, 10)))
    context.wait_rules = Rules(settle=0, timeout=120)
    endings, _ = waits(context, timeout=120)
    assert endings["a"].outcome is Outcome.TIMED_OUT
    assert context.cluster.clock.seconds <= 1032 + progress.DETAILS_PERIOD + 120 + 15


def test_a_lost_database_is_made_once_and_the_service_started_once() -> None:
    lost = [Life(born, born + 5, ended=born + 30, log={born + 29: DB}) for born in range(1000, 5000, 40)]
    context = one(*lost, Life(1, 5, 20, deployment="ecs-svc/3"))
    context.wait_rules = Rules(settle=0, recreates_database=True)
    endings, events = waits(context)
    assert endings["a"].outcome is Outcome.SUCCEEDED
    assert endings["a"].changed == 1
    assert context.cluster.made == ["onyx_a"]
    assert context.cluster.calls["UpdateService"] == 1
    assert context.rollout_memory.value.caused == {"a": "ecs-svc/3"}
    assert [event.changed for event in events if isinstance(event, StepDone)] == [1]


def test_a_database_lost_again_is_not_made_again() -> None:
    lost = [Life(born, born + 5, ended=born + 30, log={born + 29: DB}) for born in range(1000, 2000, 40)]
    again = [Life(born, 5, math.inf, 30, log={0: DB}, deployment="ecs-svc/3") for born in range(1, 1000, 40)]
    context = one(*lost, *again)
    context.wait_rules = Rules(settle=0, recreates_database=True)
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
    look = partial(progress.observe, cluster.stack, cluster, cluster, cluster)
    assert [len(look()["a"].failures), len(look()["a"].alive)] == [1, 1]
    assert cluster.calls["DescribeTasks"] == 2


def test_a_service_is_looked_into_when_it_is_late_and_not_again_at_once() -> None:
    context = one(Life(1000, 1005))
    cluster = context.cluster
    look = partial(progress.observe, cluster.stack, cluster, cluster, cluster, memory=context.rollout_memory)
    seen = []
    for now in (1006, 1008, 1005 + progress.DETAILS_PERIOD, 1006 + progress.DETAILS_PERIOD):
        cluster.clock.seconds = now
        look(now=at(now))
        seen.append(cluster.calls["DescribeTasks"])
    assert seen == [0, 0, 1, 1]


def test_failures_that_a_service_got_over_are_not_why_it_is_short_of_tasks_now() -> None:
    failed, good, failed_again = Life(1000, ended=1010, reason=OOM), Life(1012, 1015, 1030), Life(1100, ended=1110)
    context = one(failed, good, failed_again)
    cluster, tenant = context.cluster, context.stack.services["a"]
    seen = []
    for now in (1020, 1090, 1115):
        cluster.clock.seconds = now
        look = progress.observe(cluster.stack, cluster, cluster, cluster)["a"]
        inside = progress.examine(look, tenant, cluster, cluster, cluster)
        seen.append((len(inside.failures), len(recovery.steady_since(inside).failures)))
    assert seen == [(1, 1), (1, 0), (2, 2)]


def test_whose_database_was_made_in_this_run_is_redeployed_without_a_look_at_what_its_tasks_died_of() -> None:
    dies = [Life(1000 + 20 * n, 1005 + 20 * n, ended=1010 + 20 * n, log={1000: DB}) for n in range(3)]
    context = one(*dies)
    context.databases_made.add("a")
    context.cluster.clock.seconds = 1070
    assert isinstance(redeploy.decide(redeploy.observe(context))["a"], Todo)
    assert context.cluster.calls == {"DescribeServices": 1}
