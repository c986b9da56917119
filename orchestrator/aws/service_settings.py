"""How services and their tasks are set up: network, load balancer, grace period, task definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.clusters import by_cluster, name_of
from orchestrator.aws.described import described
from orchestrator.aws.session import translated
from orchestrator.aws.task_definition import TaskDefinition, parsed
from orchestrator.engine.looks import Recent


@dataclass(frozen=True, slots=True)
class LoadBalancerBinding:
    """How a load balancer reaches a service's tasks."""

    target_group: str
    container: str
    port: int


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """One service as it is set up; `grace` in seconds; `name` as in `Service`."""

    name: str
    task_definition: str
    desired: int = 1
    grace: int = 0
    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    public_ip: bool = False
    ways: tuple[LoadBalancerBinding, ...] = ()
    breaker: bool = False
    rollback: bool = False


class ClusterServices:
    """A stack's services through a boto3 `ecs` client; those that say no cluster are in `cluster`."""

    def __init__(self, client: Any, cluster: str, recent: Recent | None = None) -> None:
        """`recent`: what is shared with those who ask the same of ECS."""
        self._client = client
        self._cluster = cluster
        self._recent = recent or Recent()
        self._definitions: dict[str, TaskDefinition] = {}

    def settings(self, names: Sequence[str]) -> Mapping[str, ServiceSettings]:
        """Of the services that exist among `names`."""
        found: dict[str, ServiceSettings] = {}
        for cluster, called in by_cluster(names, self._cluster).items():
            with translated("ecs:DescribeServices"):
                shown = described(self._client, cluster, list(called), self._recent)
            found |= {name_of(raw, called): _settings(raw, name_of(raw, called)) for raw in shown}
        return found

    def newest(self, family: str) -> TaskDefinition:
        """The newest ACTIVE revision of a family."""
        return self.definition(family)

    def definition(self, arn: str) -> TaskDefinition:
        """One revision. What is in it never changes, so that it is read once; only that it is active may end."""
        if arn not in self._definitions:
            with translated("ecs:DescribeTaskDefinition"):
                answer = self._client.describe_task_definition(taskDefinition=arn)
            self._definitions[arn] = parsed(answer["taskDefinition"])
        return self._definitions[arn]


def _settings(raw: Mapping[str, Any], called: str) -> ServiceSettings:
    network = raw.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    breaker = raw.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
    return ServiceSettings(
        name=called,
        task_definition=raw["taskDefinition"],
        desired=raw["desiredCount"],
        grace=raw.get("healthCheckGracePeriodSeconds") or 0,
        subnets=tuple(network.get("subnets", ())),
        groups=tuple(network.get("securityGroups", ())),
        public_ip=network.get("assignPublicIp") == "ENABLED",
        ways=tuple(
            LoadBalancerBinding(one["targetGroupArn"], one.get("containerName", ""), one.get("containerPort", 0))
            for one in raw.get("loadBalancers", ())
            if one.get("targetGroupArn")
        ),
        breaker=bool(breaker.get("enable")),
        rollback=bool(breaker.get("rollback")),
    )
