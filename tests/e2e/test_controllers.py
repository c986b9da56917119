"""Services whose deployments ECS makes in stages, or doesn't make: said, continued when told to, never forced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local.world.native import become_native, become_rolling
from tests.e2e.stage import Contract, Stage, paused_at, stage
from tests.waiting import until

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def rolling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("controllers"), tenants=("customer-a",)) as made:
        yield made


def test_a_deployment_at_a_pause_hook_is_said_and_continued(rolling: Stage) -> None:
    """Also while a run holds the lock; and what nobody was shown is not answered."""
    rolling.direct().succeeded()
    ecs, elbv2 = rolling.aws.client("ecs"), rolling.aws.client("elbv2")
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    native = become_native(
        ecs, elbv2, rolling.service("customer-a"), {"strategy": "BLUE_GREEN", "lifecycleHooks": [hook]}
    )
    until("it waits at its hook", lambda: paused_at(rolling, "customer-a"))
    seen = rolling.command("status", "--only", "services", "--json")
    assert seen.status == 6, seen
    said = " ".join(one["detail"] for one in seen.of("step-waiting", "services"))
    for words in ("BLUE_GREEN is at POST_SCALE_UP", "0 % of production traffic", "waits for ContinueServiceDeployment"):
        assert words in said
    unasked = rolling.command("continue", "--json")
    assert (unasked.status, unasked.codes) == (2, {"approval-needed"})
    assert paused_at(rolling, "customer-a")
    continued = rolling.command("continue", "customer-a", "--auto-approve", "--json").succeeded()
    assert continued.last["changed"] == 1
    rolling.direct("--only", "services", "--timeout", "600").succeeded()
    again = rolling.command("continue", "--auto-approve", "--json").succeeded()
    assert again.last["changed"] == 0
    become_rolling(ecs, elbv2, native)
    rolling.direct("--only", "services", "--timeout", "600").succeeded()


def test_a_redeploy_that_was_asked_for_is_waited_for(rolling: Stage) -> None:
    before = rolling.deployment("customer-a")
    ended = rolling.command("redeploy", "customer-a", "--json", "--timeout", "600").succeeded()
    after = rolling.deployment("customer-a")
    assert ended.last["changed"] == 1
    assert after != before
    (done,) = ended.of("step-done", "services")
    assert after in done["detail"]
    unknown = rolling.command("redeploy", "customer-z", "--json")
    assert (unknown.status, unknown.codes) == (2, {"tenant-unknown"})


def led_by(made: Stage, controller: str) -> Contract:
    """The contract, with a service in the place of the tenant's that this controller makes deployments of."""
    ecs, cluster, name = made.aws.client("ecs"), made.contract["cluster"], f"customer-a-{controller.lower()}"
    old = made.service("customer-a")
    for page in ecs.get_paginator("list_services").paginate(cluster=cluster):
        for other in page["serviceArns"]:
            ecs.update_service(cluster=cluster, service=other, desiredCount=0)
    group = old["loadBalancers"][0]["targetGroupArn"]
    health = made.aws.client("elbv2").describe_target_health
    until("no former task is a target", lambda: not health(TargetGroupArn=group)["TargetHealthDescriptions"])
    ways = {"networkConfiguration": old["networkConfiguration"], "loadBalancers": old["loadBalancers"]}
    common = {"cluster": cluster, "deploymentController": {"type": controller}, "desiredCount": 1}
    if controller == "CODE_DEPLOY":
        more: dict[str, Any] = {"taskDefinition": old["taskDefinition"], "launchType": "FARGATE", **ways}
        ecs.create_service(serviceName=name, healthCheckGracePeriodSeconds=600, **common, **more)
    else:
        ecs.create_service(serviceName=name, healthCheckGracePeriodSeconds=600, **common)
        definition = old["taskDefinition"]
        made_set = ecs.create_task_set(
            cluster=cluster, service=name, taskDefinition=definition, launchType="FARGATE", **ways
        )["taskSet"]
        ecs.update_service_primary_task_set(cluster=cluster, service=name, primaryTaskSet=made_set["taskSetArn"])
    return made.changed(tenants__customer_a__service=name)


def seen(made: Stage, name: str) -> dict[str, Any]:
    found: dict[str, Any] = made.aws.client("ecs").describe_services(cluster=made.contract["cluster"], services=[name])[
        "services"
    ][0]
    return found


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_a_service_of_another_controller_is_brought_to_life_and_never_forced(rolling: Stage, controller: str) -> None:
    """Its tasks failed for want of a database; ECS starts new ones by itself, as its task set says."""
    contract = led_by(rolling, controller)
    name = contract["tenants"]["customer-a"]["service"]
    with rolling.admin() as admin:
        admin.execute('DROP DATABASE IF EXISTS "onyx_customer_a" WITH (FORCE)')
    rolling.recorder.forget()
    ended = rolling.direct(contract=contract, timeout="600")
    told = seen(rolling, name)
    assert told["deployments"] == []
    assert [(one["status"], one["runningCount"]) for one in told["taskSets"]] == [("PRIMARY", 1)]
    ended.succeeded()
    assert "ecs:UpdateService" not in rolling.recorder.changes
    findings = {one["code"]: one for one in ended.of("finding-reported")}
    assert controller in findings["redeploy-not-ours"]["detail"]
    assert "aws " in findings["redeploy-not-ours"]["fix"]
    again = rolling.direct(contract=contract).succeeded()
    assert again.last["changed"] == 0


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_ecs_refuses_to_deploy_for_another_controller(rolling: Stage, controller: str) -> None:
    ecs, name = rolling.aws.client("ecs"), f"customer-a-{controller.lower()}"
    definition = rolling.service("customer-a")["taskDefinition"]
    before = [one["id"] for one in seen(rolling, name)["taskSets"]]
    for given, words in (
        ({"forceNewDeployment": True}, "Cannot force a new deployment on services with a"),
        ({"taskDefinition": definition}, "Unable to update task definition on services with a"),
    ):
        with pytest.raises(ClientError) as caught:
            ecs.update_service(cluster=rolling.contract["cluster"], service=name, **given)
        assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
        assert f"{words} {controller} deployment controller" in caught.value.response["Error"]["Message"]
    ecs.update_service(cluster=rolling.contract["cluster"], service=name, desiredCount=0)
    assert [one["id"] for one in seen(rolling, name)["taskSets"]] == before
