"""How services and their tasks are set up: network, load balancer, grace period, task definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.batches import answers
from orchestrator.aws.clusters import by_cluster, name_of
from orchestrator.aws.session import translated
from orchestrator.aws.task_definition import TaskDefinition, parsed


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

    def __init__(self, client: Any, cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def settings(self, names: Sequence[str]) -> Mapping[str, ServiceSettings]:
        """Of the services that exist among `names`."""
        found: dict[str, ServiceSettings] = {}
        for cluster, called in by_cluster(names, self._cluster).items():
            wanted = {"cluster": cluster, "services": list(called)}
            with translated("ecs:DescribeServices"):
                said = list(answers(self._client, "describe_services", **wanted))
            settings = (
                _settings(raw, name_of(raw, called))
                for some in said
                for raw in some["services"]
                if raw["status"] != "INACTIVE"
            )
            found |= {one.name: one for one in settings}
        return found

    def definition(self, arn: str) -> TaskDefinition:
        """One revision."""
        with translated("ecs:DescribeTaskDefinition"):
            answer = self._client.describe_task_definition(taskDefinition=arn)
        return parsed(answer["taskDefinition"])


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
