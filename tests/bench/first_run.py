"""How long a first run of many tenants takes, on a virtual clock: `python -m tests.bench.first_run`.

What is measured is the product's own waiting: how often it looks, how many calls it makes, one after another or side by
side. The steps and the loop are real. ECS and load balancing are played: a task is up 30 s after its deployment
began, its target healthy after two checks of 60 s, and a call is answered at once, but only as often as AWS's rates
allow (`local.laws.rate_rows`); who asks more often waits. Left out: what a call itself takes, DNS, Terraform.

Promised: at most 1.2 times what one tenant takes, and what AWS's rates and the making of databases cost (`at_least`).
Exit status 1 when the promise is broken.
"""

from __future__ import annotations

import math
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.aws.ecs import Container, Deployment, Service, Task
from orchestrator.aws.elbv2 import TargetHealth
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.engine.close_looks import FEW, CloseLooks
from orchestrator.engine.limits import Limits
from orchestrator.engine.runner import run_step
from orchestrator.errors import Outcome
from orchestrator.local.core.bucket import Bucket
from orchestrator.local.laws.rate_rows import Rate, rates_of
from orchestrator.rollout.memory import RunMemory
from orchestrator.rollout.situation import Rules
from orchestrator.stack.contract import Stack
from orchestrator.steps import redeploy, services
from tests.unit.rollout.scripted_cluster import Clock, Cluster, at, stack_of

TENANTS = (1, 8, 50, 200, 500)
PROMISED = 1.2
STARTS, HEALTHY = 30.0, 150.0
"""Seconds after a deployment began."""
DATABASE = 0.1
"""Seconds that PostgreSQL takes to create one (55 to 142 ms were measured)."""
ONE_EACH = (("ecs", "UpdateService"), ("elbv2", "DescribeTargetHealth"))
"""What AWS must be sent once for each tenant."""
SERVICES = {
    "DescribeTargetGroups": "elbv2",
    "DescribeTargetHealth": "elbv2",
    "GetLogEvents": "logs",
}
"""Operation → its service, where it is not ECS."""


@dataclass
class RatedCluster(Cluster):
    """Services whose tasks died for want of a database; each is up some time after its redeploy."""

    buckets: dict[Rate, Bucket] = field(default_factory=dict)
    redeployed: dict[str, float] = field(default_factory=dict)
    waiting: threading.RLock = field(default_factory=threading.RLock)

    def _spend(self, operation: str, times: int = 1) -> None:
        with self.waiting:
            self.calls[operation] += times
            for rate in rates_of(SERVICES.get(operation, "ecs"), operation):
                bucket = self.buckets.setdefault(rate, Bucket(rate.size, rate.refill, self.clock.monotonic))
                for _ in range(times):
                    while not bucket.take():
                        self.clock.sleep(1 / rate.refill)

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        self._spend("DescribeServices", math.ceil(len(names) / 10))
        return {name: self._of(name) for name in names}

    def _of(self, name: str) -> Service:
        began, since = self.redeployed.get(name), self._age(name)
        running, good = int(since >= STARTS), since >= HEALTHY
        id_ = "ecs-svc/1" if began is None else "ecs-svc/2"
        state = "COMPLETED" if good else "IN_PROGRESS"
        primary = Deployment(id_, "PRIMARY", state, "", "td:1", 1, running, 0, at(began or 900.0))
        texts = [(0.0, "has started 1 tasks: (task 1)."), (STARTS, "registered 1 targets in (tg)")]
        texts += [(HEALTHY, "has reached a steady state.")]
        told = [ServiceEvent(at(began + when), text) for when, text in texts if when <= since] if began else []
        return Service(name, "ACTIVE", 1, running, 0, (primary,), happened=tuple(reversed(told)), grace=600.0)

    def health(self, target_group_arn: str) -> TargetHealth:
        self._spend("DescribeTargetHealth")
        name = f"{target_group_arn.split('/')[1]}-service"
        return TargetHealth({"healthy" if self._age(name) >= HEALTHY else "initial": 1})

    def tasks(self, service: str) -> tuple[Task, ...]:
        self._spend("ListTasks", 2)
        self._spend("DescribeTasks")
        began, status = self.redeployed[service], "RUNNING" if self._age(service) >= STARTS else "PENDING"
        up = at(began + STARTS) if status == "RUNNING" else None
        api = (Container("api"),)
        return (Task(service, "ecs-svc/2", "td:1", status, at(began), containers=api, started_at=up),)

    def tail(self, group: str, stream: str, lines: int = 50) -> tuple[str, ...]:
        self._spend("GetLogEvents")
        return ()

    def _age(self, service: str) -> float:
        return self.clock.seconds - self.redeployed.get(service, self.clock.seconds)

    def redeploy(self, service: str, definition: str = "") -> str:
        self._spend("UpdateService")
        self.redeployed[service] = self.clock.seconds
        return "ecs-svc/2"


@dataclass
class FirstRun:
    """What the steps see of a run that has just made every database."""

    cluster: RatedCluster
    wait_rules: Rules = field(default_factory=Rules)
    rollout_memory: RunMemory = field(default_factory=RunMemory)
    close_looks: CloseLooks = CloseLooks(FEW, "seed")  # noqa: RUF009 - frozen
    databases_made: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ecs = self.targets = self.logs = self.database = self.cluster
        self.stack: Stack = self.cluster.stack
        self.now = self.cluster.clock.now
        self.started = self.cluster.clock.now()
        self.databases_made |= self.stack.tenants.keys()


def takes(tenants: int) -> tuple[float, Counter[str]]:
    """Seconds of the virtual clock, with the making of the databases, and the calls."""
    names = [f"t{number}" for number in range(tenants)]
    clock = Clock()
    cluster = RatedCluster(clock, stack_of(*names), {})
    context: Any = FirstRun(cluster)
    began = clock.seconds
    clock.sleep(DATABASE * tenants)
    for step in (redeploy.STEP, services.STEP):
        endings = run_step(step, context, clock=clock, emit=lambda _: None, limits=Limits(steps={step.id: 1e5}))
        assert {one.outcome for one in endings.values()} == {Outcome.SUCCEEDED}, step.id
    return clock.seconds - began, cluster.calls


def at_least(tenants: int, one: float) -> float:
    """Seconds: one tenant's, the databases', and until AWS's rates let the last call of `ONE_EACH` through."""
    rows = [rate for service, operation in ONE_EACH for rate in rates_of(service, operation)[:1]]
    return one + DATABASE * (tenants - 1) + sum(max(0.0, (tenants - row.size) / row.refill) for row in rows)


def main() -> int:
    """Print a line for each number of tenants."""
    one, _ = takes(1)
    good = True
    sys.stdout.write(f"{'tenants':>7}  {'seconds':>8} {'at least':>9} {'ratio':>6} {'calls':>6}\n")
    for tenants in map(int, sys.argv[1:] or TENANTS):
        seconds, calls = takes(tenants)
        least = at_least(tenants, one)
        good &= seconds <= PROMISED * least
        most = ", ".join(f"{name} {times}" for name, times in calls.most_common(3))
        sys.stdout.write(
            f"{tenants:>7}  {seconds:>8.1f} {least:>9.1f} {seconds / least:>6.2f} {calls.total():>6}  {most}\n"
        )
    sys.stdout.write(f"promised: at most {PROMISED} times\n")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
