"""What a run that changes nothing asks of AWS, by the number of tenants: calls, counted under the real adapters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elbv2 import Elbv2
from orchestrator.aws.listeners import ListenerRule, Routing
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.dns.resolve import DnsAnswer
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.close_looks import FEW, SAMPLE, CloseLooks
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.looks import Recent
from orchestrator.engine.runner import run
from orchestrator.errors import Outcome
from orchestrator.probe import Probe, Reached
from orchestrator.rollout.memory import RunMemory
from orchestrator.rollout.situation import Rules
from orchestrator.stack.contract import Stack
from orchestrator.steps import redeploy, services, sites
from tests.unit.rollout.scripted_cluster import stack_of

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = "192.0.2.1"


@dataclass
class Aws:
    """ECS and load balancing as botocore's clients show them. Everything is up, but the sites of those in `down`."""

    stack: Stack
    down: frozenset[str] = frozenset()
    restless: frozenset[str] = frozenset()
    """Of whose service ECS said something since it was steady."""
    calls: Counter[str] = field(default_factory=Counter)
    groups: list[str] = field(default_factory=list)
    """Those that were asked for."""

    def describe_services(self, cluster: str, services: Sequence[str], **_: Any) -> Any:
        assert len(services) <= 10
        self.calls["DescribeServices"] += 1
        return {"services": [self._service(name) for name in services]}

    def _service(self, name: str) -> Mapping[str, Any]:
        tenant = name.removesuffix("-service")
        counts = {"desiredCount": 1, "runningCount": 1, "pendingCount": 0}
        primary = {"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED", "createdAt": LONG_AGO}
        said = ["has reached a steady state.", "has started 1 tasks: (task 1)."]
        said = [*(["has begun draining connections on 1 tasks."] if tenant in self.restless else ()), *said]
        return {
            "serviceName": name,
            "status": "ACTIVE",
            **counts,
            "taskDefinition": f"td/{tenant}:1",
            "deployments": [{**primary, **counts, "taskDefinition": f"td/{tenant}:1"}],
            "loadBalancers": [{"targetGroupArn": self.stack.tenants[tenant].target_group_arn}],
            "events": [
                {"createdAt": LONG_AGO + timedelta(seconds=len(said) - number), "message": text}
                for number, text in enumerate(said)
            ],
        }

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_tasks"
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        names = [one.service for one in self.stack.tenants.values()]
        for first in range(0, len(names), 100):
            self.calls["ListTasks"] += 1
            yield {"taskArns": names[first : first + 100]}

    def describe_tasks(self, cluster: str, tasks: Sequence[str]) -> Any:
        assert len(tasks) <= 100
        self.calls["DescribeTasks"] += 1
        return {"tasks": [self._task(name) for name in tasks]}

    def _task(self, name: str) -> Mapping[str, Any]:
        address = {"name": "privateIPv4Address", "value": f"10.0.0.{name}"}
        return {
            "taskArn": name,
            "taskDefinitionArn": f"td/{name.removesuffix('-service')}:1",
            "lastStatus": "RUNNING",
            "group": f"service:{name}",
            "attachments": [{"details": [address]}],
        }

    def describe_task_definition(self, **asked: str) -> Any:
        self.calls["DescribeTaskDefinition"] += 1
        arn = asked["taskDefinition"]
        tenant = arn.removeprefix("td/").removesuffix(":1")
        said = {"POSTGRES_HOST": self.stack.database.host, "POSTGRES_DB": self.stack.tenants[tenant].database}
        pairs = [{"name": name, "value": value} for name, value in said.items()]
        containers = [{"name": "api", "environment": pairs}]
        return {"taskDefinition": {"taskDefinitionArn": arn, "containerDefinitions": containers}}

    def describe_target_health(self, **asked: str) -> Any:
        self.calls["DescribeTargetHealth"] += 1
        tenant = asked["TargetGroupArn"].split("/")[1]
        self.groups.append(tenant)
        health = {"Target": {"Id": f"10.0.0.{tenant}-service"}, "TargetHealth": {"State": "healthy"}}
        return {"TargetHealthDescriptions": [health]}


@dataclass
class Context:
    """What the three steps see. A run after another one: `close_looks` draws anew."""

    aws: Any
    close_looks: CloseLooks = CloseLooks(FEW, "seed")  # noqa: RUF009 - frozen
    wait_rules: Rules = field(default_factory=Rules)
    rollout_memory: RunMemory = field(default_factory=RunMemory)
    databases_made: set[str] = field(default_factory=set)
    first_looks: FirstLooks = field(default_factory=FirstLooks)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    needs_runner: bool = False
    logs: None = None

    def __post_init__(self) -> None:
        ecs, elbv2 = Recent(), Recent()
        self.stack: Stack = self.aws.stack
        self.ecs = Ecs(self.aws, "c", ecs)
        self.definitions = ClusterServices(self.aws, "c", ecs)
        self.targets = Elbv2(self.aws, elbv2)
        self.resolver = self.listeners = self

    unheard: frozenset[str] = frozenset()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def resolve(self, name: str) -> DnsAnswer:
        return DnsAnswer(name, (self.stack.load_balancer.dns_name,), (ADDRESS,), 60, "NOERROR", "here")

    def routing(self, _balancer: str) -> Routing:
        own = enumerate(self.stack.tenants.values())
        rules = tuple(ListenerRule(443, n, (it.hostname,), target_groups=(it.target_group_arn,)) for n, it in own)
        return Routing(https=True, rules=rules)

    def probe(self, hostname: str, address: str, path: str) -> Probe:
        if hostname.partition(".")[0] in self.aws.down:
            return Probe(address, Reached.ANSWERED, 502)
        return Probe(address, Reached.ANSWERED, 200, body='{"success": true}')


def alone(step: Any, *needs: str) -> Any:
    return replace(step, needs=needs)


STEPS = (alone(redeploy.STEP), alone(services.STEP, "redeploy"), alone(sites.STEP, "services"))


def asked(tenants: int, **more: Any) -> Aws:
    """What a run asked for that changes nothing, and came to its end for everybody whose site is up."""
    aws = Aws(stack_of(*(f"t{number}" for number in range(tenants))), **more)
    clock = SystemClock()
    left = frozenset(aws.stack.tenants) - aws.down
    report = run(STEPS, Context(aws), clock=clock, emit=lambda _event: None, subjects=left)
    assert report.outcome is Outcome.SUCCEEDED
    return aws


def calls(tenants: int) -> Counter[str]:
    return asked(tenants).calls


def test_of_few_tenants_everything_is_asked_once_a_run() -> None:
    assert calls(20) == {
        "DescribeServices": 2,
        "ListTasks": 1,
        "DescribeTasks": 1,
        "DescribeTargetHealth": 20,
        "DescribeTaskDefinition": 20,
    }


def test_of_many_a_hundred_more_cost_twelve_calls_more() -> None:
    """Ten of DescribeServices, one of ListTasks and one of DescribeTasks: what has a batch. Nothing else grows."""
    fewer, more = calls(200), calls(300)
    assert more - fewer == {"DescribeServices": 10, "ListTasks": 1, "DescribeTasks": 1}
    assert more["DescribeTargetHealth"] == more["DescribeTaskDefinition"] == SAMPLE


@pytest.mark.parametrize("trouble", ["down", "restless"])
def test_who_shows_trouble_is_always_asked_about(trouble: str) -> None:
    sick = frozenset({"t3", "t57", "t99"})
    assert sick <= set(asked(100, **{trouble: sick}).groups)


def test_the_same_ones_are_drawn_in_all_steps_of_a_run() -> None:
    assert len(asked(100).groups) == SAMPLE
