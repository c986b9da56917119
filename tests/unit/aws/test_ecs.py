"""What DescribeServices and the like answer, as our `Ecs` and `Elbv2` read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elbv2 import Elbv2
from orchestrator.rollout.progress import steady

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BLUE, GREEN = "arn:tg/blue", "arn:tg/green"


class Client:
    """ECS with one service and its tasks."""

    def __init__(self, service: dict[str, Any], tasks: list[dict[str, Any]] | None = None) -> None:
        self.service, self.tasks = service, tasks or []
        self.described: list[int] = []

    def describe_services(self, **_: Any) -> dict[str, Any]:
        whole = {"status": "ACTIVE", "desiredCount": 1, "runningCount": 1, "pendingCount": 0, "serviceName": "a"}
        return {"services": [{**whole, **self.service}], "failures": []}

    def get_paginator(self, _name: str) -> Client:
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"taskArns": [one["taskArn"] for one in self.tasks]}

    def describe_tasks(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        self.described.append(len(tasks))
        return {"tasks": [one for one in self.tasks if one["taskArn"] in tasks]}


def seen(**service: Any) -> Any:
    return Ecs(Client(service), "c").services(["a"])["a"]


def deployment(**more: Any) -> dict[str, Any]:
    return {"id": "ecs-svc/1", "status": "PRIMARY", "createdAt": NOW, "runningCount": 1, "desiredCount": 1, **more}


def task_set(name: str, status: str, stability: str, group: str) -> dict[str, Any]:
    said = {"id": f"ecs-svc/{name}", "status": status, "stabilityStatus": stability, "createdAt": NOW}
    return {**said, "runningCount": 1, "computedDesiredCount": 1, "loadBalancers": [{"targetGroupArn": group}]}


def test_task_sets_are_read_as_deployments() -> None:
    sets = [task_set("2", "ACTIVE", "STABILIZING", GREEN), task_set("1", "PRIMARY", "STEADY_STATE", BLUE)]
    found = seen(deploymentController={"type": "CODE_DEPLOY"}, deployments=[], taskSets=sets)
    assert [one.id for one in found.deployments] == ["ecs-svc/1", "ecs-svc/2"]
    assert (found.controller, found.deploys_itself, steady(found)) == ("CODE_DEPLOY", False, True)
    assert set(found.target_groups) == {BLUE, GREEN}
    assert found.groups_of(BLUE) == (BLUE,)
    assert found.groups_of(GREEN) == (BLUE,), "the contract's group is idle: the visitors are in the other one"


def test_a_blue_green_service_of_ecs_has_two_groups() -> None:
    ways = [{"targetGroupArn": BLUE, "advancedConfiguration": {"alternateTargetGroupArn": GREEN}}]
    found = seen(deployments=[deployment()], loadBalancers=ways, deploymentConfiguration={"strategy": "BLUE_GREEN"})
    assert (found.strategy, found.deploys_itself) == ("BLUE_GREEN", True)
    assert found.groups_of(BLUE) == (BLUE, GREEN)
    assert found.groups_of(GREEN) == (GREEN, BLUE)


def test_of_several_load_balancers_each_is_for_itself() -> None:
    found = seen(deployments=[deployment()], loadBalancers=[{"targetGroupArn": BLUE}, {"targetGroupArn": GREEN}])
    assert (found.target_groups, found.groups_of(BLUE)) == ((BLUE, GREEN), (BLUE,))


def test_what_is_not_said_is_not_known() -> None:
    found = seen(deployments=[deployment()])
    assert (found.target_groups, found.controller, found.strategy) == (None, "ECS", "ROLLING")
    assert seen(deployments=[deployment()], loadBalancers=[]).target_groups == ()


def test_running_tasks_and_their_addresses() -> None:
    network = [{"type": "ElasticNetworkInterface", "details": [{"name": "privateIPv4Address", "value": "10.0.0.4"}]}]
    common = {"taskDefinitionArn": "td:1", "lastStatus": "RUNNING"}
    tasks = [{**common, "taskArn": f"t{number}", "attachments": network if not number else []} for number in range(101)]
    client = Client({}, tasks)
    found = Ecs(client, "c").running(["a"]).results
    assert [len(found["a"]), found["a"][0].addresses, found["a"][1].addresses] == [101, ("10.0.0.4",), ()]
    assert client.described == [100, 1]


class Targets:
    """A target group's health."""

    def describe_target_health(self, **_: Any) -> dict[str, Any]:
        states = [("10.0.0.4", {"State": "healthy"}), ("10.0.0.5", {"State": "draining"}), ("10.0.0.6", {})]
        return {"TargetHealthDescriptions": [{"Target": {"Id": one}, "TargetHealth": how} for one, how in states]}


def test_targets_with_and_without_a_state() -> None:
    health = Elbv2(Targets()).health(BLUE)
    assert health.states == {"healthy": 1, "draining": 1, "unknown": 1}
    assert health.serving == ("10.0.0.4", "10.0.0.6")
    both = health.beside(health)
    assert (both.healthy, both.states["draining"], len(both.serving)) == (2, 2, 4)
