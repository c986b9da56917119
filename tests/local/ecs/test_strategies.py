"""Native deployment strategies and the service-deployment calls, on a real daemon."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local.world.native import become_native, become_rolling
from tests.waiting import CLOSELY, until

pytestmark = pytest.mark.cloud
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}


@pytest.fixture
def steady(tenant: Any) -> Any:
    """A rolling service that is up, behind a rule."""
    tenant.stack.client("elbv2").create_rule(
        ListenerArn=tenant.stack.listener,
        Priority=1 + int(tenant.name.rpartition("-")[2], 16) % 49_000,
        Conditions=[{"Field": "host-header", "Values": [f"{tenant.name}.vigilon.app"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": tenant.target_group}],
    )
    tenant.create_database()
    tenant.create()
    tenant.until_state("COMPLETED")
    return tenant


def newest(tenant: Any) -> dict[str, Any]:
    listed = tenant.ecs.list_service_deployments(cluster=tenant.cluster, service=tenant.service)["serviceDeployments"]
    found: dict[str, Any] = tenant.ecs.describe_service_deployments(
        serviceDeploymentArns=[listed[0]["serviceDeploymentArn"]]
    )["serviceDeployments"][0]
    return found


def until_status(tenant: Any, status: str) -> dict[str, Any]:
    found: dict[str, Any] = until(
        f"the service deployment is {status}",
        lambda: seen if (seen := newest(tenant))["status"] == status else None,
    )
    return found


def until_paused(tenant: Any) -> dict[str, Any]:
    found: dict[str, Any] = until(
        "the deployment waits at its hook",
        lambda: next((one for one in newest(tenant).get("lifecycleHookDetails", ())), None),
    )
    return found


def weights(tenant: Any, rule: str) -> dict[str, int]:
    rules = tenant.stack.client("elbv2").describe_rules(RuleArns=[rule])["Rules"][0]
    return {one["TargetGroupArn"]: one["Weight"] for one in rules["Actions"][0]["ForwardConfig"]["TargetGroups"]}


def refused(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_a_blue_green_deployment_waits_at_its_hook_and_goes_on_when_told(steady: Any) -> None:
    ecs, elbv2 = steady.ecs, steady.stack.client("elbv2")
    first = steady.primary()
    native = become_native(ecs, elbv2, steady.now(), {"strategy": "BLUE_GREEN", "lifecycleHooks": [PAUSE]})
    hook = until_paused(steady)
    assert (hook["targetType"], hook["status"], hook["timeoutAction"]) == ("PAUSE", "AWAITING_ACTION", "ROLLBACK")
    paused = newest(steady)
    assert (paused["status"], paused["lifecycleStage"]) == ("IN_PROGRESS", "POST_SCALE_UP")
    assert paused["targetServiceRevision"]["requestedProductionTrafficWeight"] == 0
    assert weights(steady, native.rule) == {native.group: 100, native.other_group: 0}
    (other,) = elbv2.describe_target_groups(TargetGroupArns=[native.other_group])["TargetGroups"]
    assert other["LoadBalancerArns"] == [
        steady.stack.listener.rpartition("/")[0].replace(":listener/", ":loadbalancer/")
    ]
    assert [one["runningCount"] for one in steady.now()["deployments"]] == [1, 1]
    assert steady.primary()["rolloutState"] == "IN_PROGRESS"
    which = {"serviceDeploymentArn": paused["serviceDeploymentArn"]}
    assert refused(ecs.continue_service_deployment, **which, hookId="ecs-pause-x") == "InvalidParameterException"
    ecs.continue_service_deployment(**which, hookId=hook["hookId"])
    done = until_status(steady, "SUCCESSFUL")
    assert done["targetServiceRevision"]["requestedProductionTrafficWeight"] == 100
    assert weights(steady, native.rule) == {native.group: 0, native.other_group: 100}
    until("the old tasks have gone", lambda: len(steady.now()["deployments"]) == 1)
    assert steady.primary()["rolloutState"] == "COMPLETED"
    assert steady.primary()["id"] != first["id"]
    again = ecs.continue_service_deployment
    assert refused(again, **which, hookId=hook["hookId"]) == "InvalidParameterException"
    assert refused(ecs.stop_service_deployment, **which) == "ConflictException"
    become_rolling(ecs, elbv2, native)
    until("it is a rolling service again", lambda: len(steady.now()["deployments"]) == 1)
    assert {one["TargetHealth"]["State"] for one in steady.health()} == {"healthy"}


def test_a_pause_that_is_answered_with_rollback_leaves_the_old_tasks_where_they_were(steady: Any) -> None:
    ecs = steady.ecs
    first, (old,) = steady.primary(), steady.tasks()
    native = become_native(
        ecs, steady.stack.client("elbv2"), steady.now(), {"strategy": "BLUE_GREEN", "lifecycleHooks": [PAUSE]}
    )
    hook = until_paused(steady)
    arn = newest(steady)["serviceDeploymentArn"]
    ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"], action="ROLLBACK")
    back = until_status(steady, "ROLLBACK_SUCCESSFUL")
    assert back["rollback"]["serviceRevisionArn"] == back["sourceServiceRevisions"][0]["arn"]
    until("the new tasks have gone", lambda: len(steady.now()["deployments"]) == 1)
    assert steady.primary()["id"] == first["id"]
    assert [one["taskArn"] for one in steady.tasks()] == [old["taskArn"]]
    assert weights(steady, native.rule) == {native.group: 100, native.other_group: 0}


def test_a_canary_shows_a_few_visitors_the_new_tasks_first(steady: Any) -> None:
    canary = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 30}  # to be seen on a busy machine too
    native = become_native(
        steady.ecs,
        steady.stack.client("elbv2"),
        steady.now(),
        {"strategy": "CANARY", "canaryConfiguration": canary},
    )
    seen: list[int] = []

    def done() -> bool:
        seen.append(weights(steady, native.rule)[native.other_group])
        return bool(newest(steady)["status"] == "SUCCESSFUL")

    until("the canary has become all", done, often=CLOSELY)
    assert sorted(set(seen)) in ([0, 10, 100], [0, 10])
    assert seen == sorted(seen)
    assert weights(steady, native.rule)[native.other_group] == 100


def test_a_rolling_deployment_is_stopped_by_going_back(steady: Any) -> None:
    good = steady.primary()
    steady.settings = {"POSTGRES_HOST": "nowhere.invalid"}
    steady.register()
    steady.update(taskDefinition=steady.task_definition)
    record = newest(steady)
    assert (record["status"], record["deploymentCircuitBreaker"]["threshold"]) == ("IN_PROGRESS", 3)
    steady.ecs.stop_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"])
    until("what was good is deployed again", lambda: steady.primary()["taskDefinition"] == good["taskDefinition"])
    assert "rolling back to deploymentId" in steady.primary()["rolloutStateReason"]
    back = until_status(steady, "ROLLBACK_SUCCESSFUL")
    assert "StopServiceDeployment" in back["statusReason"]


def test_the_breakers_threshold_is_the_one_that_was_set(tenant: Any) -> None:
    tenant.create_role()
    breaker = {"enable": True, "rollback": False, "thresholdConfiguration": {"type": "COUNT", "value": 1}}
    tenant.create()
    tenant.update(deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    assert tenant.until_state("FAILED")["failedTasks"] == 1
    record = until_status(tenant, "STOPPED")
    assert record["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert "circuit breaker" in record["statusReason"]


def test_early_success_comes_before_all_tasks_are_there(steady: Any) -> None:
    early = {"enable": True, "healthyPercent": 50, "sourceServiceRevisionCleanup": "DEFERRED"}
    limits = {"minimumHealthyPercent": 50, "maximumPercent": 100, "earlySuccessCriteria": early}
    steady.update(desiredCount=2)
    until("both run", lambda: steady.now()["runningCount"] == 2 and len(steady.health()) == 2)
    steady.update(deploymentConfiguration=limits, forceNewDeployment=True)
    record = until("it is called a success", lambda: s if (s := newest(steady))["status"] == "SUCCESSFUL" else None,
                   often=CLOSELY)  # fmt: skip
    assert record["targetServiceRevision"]["requestedTaskCount"] == 2
    until("the others follow", lambda: [one["runningCount"] for one in steady.now()["deployments"]] == [2])


def test_a_deployment_that_can_never_begin_says_so_and_waits(steady: Any) -> None:
    first = steady.primary()
    steady.update(
        deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 100}, forceNewDeployment=True
    )
    until("ECS complains", lambda: any("because of the service deployment configuration" in e for e in steady.events()))
    shown = {one["id"]: (one["status"], one["runningCount"]) for one in steady.now()["deployments"]}
    assert shown[first["id"]] == ("ACTIVE", 1)
    assert steady.primary()["runningCount"] == steady.primary()["pendingCount"] == 0
    steady.update(deploymentConfiguration={"maximumPercent": 200})
    until("it begins once it may", lambda: steady.primary()["rolloutState"] == "COMPLETED")


def test_an_inactive_task_definition_goes_on_and_can_t_be_deployed(steady: Any) -> None:
    steady.ecs.deregister_task_definition(taskDefinition=steady.task_definition)
    assert refused(steady.update, forceNewDeployment=True) == "ClientException"
    assert refused(steady.update, taskDefinition=steady.task_definition) == "ClientException"
    (old,) = steady.tasks()
    steady.ecs.stop_task(cluster=steady.cluster, task=old["taskArn"], reason="to see another one start")

    def others() -> set[str]:
        return {task["lastStatus"] for task in steady.tasks() if task["taskArn"] != old["taskArn"]}

    until("another task runs", lambda: others() == {"RUNNING"})


def test_a_container_that_fails_its_own_check_is_replaced(steady: Any) -> None:
    made = steady.ecs.describe_task_definition(taskDefinition=steady.task_definition)["taskDefinition"]
    kept = ("family", "cpu", "memory", "networkMode", "requiresCompatibilities", "executionRoleArn", "taskRoleArn")
    check = {"command": ["CMD-SHELL", "curl -f http://localhost:9/ || exit 1"], "interval": 5, "retries": 2}
    containers = [
        {**one, "healthCheck": check} if one["name"] == "web" else one for one in made["containerDefinitions"]
    ]
    new = steady.ecs.register_task_definition(**{name: made[name] for name in kept}, containerDefinitions=containers)
    steady.update(taskDefinition=new["taskDefinition"]["taskDefinitionArn"], healthCheckGracePeriodSeconds=0)
    until(
        "ECS says why",
        lambda: any("failed container health checks." in event for event in steady.events()),
    )
    stopped = until(
        "the task has stopped",
        lambda: next((t for t in steady.tasks("STOPPED") if "container health" in t.get("stoppedReason", "")), None),
    )
    assert stopped["healthStatus"] == "UNHEALTHY"
    assert {c["name"]: c["healthStatus"] for c in stopped["containers"]}["web"] == "UNHEALTHY"
    assert steady.primary()["taskDefinition"] == new["taskDefinition"]["taskDefinitionArn"]


def test_what_is_refused(steady: Any) -> None:
    native = {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}
    assert refused(steady.update, **native) == "InvalidParameterException"
    nothing = "arn:aws:ecs:us-west-2:123456789012:service-deployment/c/s/none"
    assert refused(steady.ecs.stop_service_deployment, serviceDeploymentArn=nothing) == (
        "ServiceDeploymentNotFoundException"
    )
    missing = steady.ecs.describe_service_deployments(serviceDeploymentArns=[nothing])
    assert (missing["serviceDeployments"], missing["failures"][0]["reason"]) == ([], "MISSING")
    listing = steady.ecs.list_service_deployments
    assert refused(listing, cluster=steady.cluster, service="nobody") == "ServiceNotFoundException"
