"""Deployments as ECS makes them, on a real daemon with a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.local.ecs.rollout import EVENTS_KEPT
from tests.waiting import CLOSELY, until

pytestmark = pytest.mark.cloud


def test_a_cold_boot_without_its_database_trips_the_breaker_and_a_redeploy_cures_it(tenant: Any) -> None:
    tenant.create_role()
    tenant.create()
    failed = tenant.until_state("FAILED")
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert failed["failedTasks"] >= 3
    stopped = tenant.until_stopped()
    assert stopped["startedBy"] == failed["id"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert {container["name"] for container in stopped["containers"]} == {"api", "background", "web", "nginx"}
    assert next(c["exitCode"] for c in stopped["containers"] if c["name"] == "api") == 1
    assert f'FATAL:  database "{tenant.database}" does not exist' in tenant.log()

    tenant.create_database()
    updated = tenant.update(forceNewDeployment=True)
    assert updated["deployments"][0]["id"] != failed["id"]
    completed = tenant.until_state("COMPLETED")
    assert completed["runningCount"] == completed["desiredCount"] == 1
    assert "Running upgrade  -> 3c5e35aa9af0" in tenant.log()
    with tenant.connect() as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9cf5c00f72fe",)]
    until("it is steady", lambda: any("has reached a steady state." in event for event in tenant.events()))


def test_a_redeploy_keeps_the_old_task_until_the_new_one_is_healthy(tenant: Any) -> None:
    tenant.create_database()
    tenant.create()
    first = tenant.until_state("COMPLETED")
    (old,) = tenant.tasks()
    tenant.update(forceNewDeployment=True)
    healthy: list[bool] = []

    def replaced() -> bool:
        healthy.append("healthy" in {target["TargetHealth"]["State"] for target in tenant.health()})
        return bool(len(tenant.now()["deployments"]) == 1)

    until("only the new deployment is left", replaced, often=CLOSELY)
    assert all(healthy), "there was a moment without a healthy target"
    now = tenant.now()
    assert [d["rolloutState"] for d in now["deployments"]] == ["COMPLETED"]
    assert now["deployments"][0]["id"] != first["id"]
    assert now["deployments"][0]["taskDefinition"] == first["taskDefinition"]
    described = tenant.ecs.describe_tasks(cluster=tenant.cluster, tasks=[old["taskArn"]])["tasks"][0]
    assert described["stoppingAt"] > tenant.tasks()[0]["startedAt"], "the old task was stopped at once"
    assert described["stopCode"] == "ServiceSchedulerInitiated"
    assert described["stoppedReason"] == f"Scaling activity initiated by (deployment {now['deployments'][0]['id']})"


def test_scaled_to_zero_its_target_drains_and_nothing_counts_as_failed(tenant: Any) -> None:
    tenant.create_database()
    tenant.create()
    tenant.until_state("COMPLETED")
    tenant.update(
        desiredCount=2
    )  # the second finds the schema made: two migrators at once would get in each other's way
    until("both run", lambda: tenant.now()["runningCount"] == 2 and len(tenant.health()) == 2)
    long = [{"Key": "deregistration_delay.timeout_seconds", "Value": "1200"}]  # to be seen on a busy machine too
    tenant.stack.client("elbv2").modify_target_group_attributes(TargetGroupArn=tenant.target_group, Attributes=long)
    tenant.update(desiredCount=0)
    until(
        "targets drain",
        lambda: {t["TargetHealth"]["State"] for t in tenant.health()} == {"draining"},
        often=CLOSELY,
    )
    until("no task is left", lambda: not tenant.tasks() and not tenant.health())
    now = tenant.now()
    assert (now["runningCount"], now["pendingCount"], now["desiredCount"]) == (0, 0, 0)
    assert now["deployments"][0]["failedTasks"] == 0
    assert any("has begun draining connections on 1 tasks." in event for event in tenant.events())
    gone = [{"Id": "10.0.0.250"}]
    tenant.stack.client("elbv2").deregister_targets(TargetGroupArn=tenant.target_group, Targets=gone)


def test_a_failed_rollout_goes_back_where_rollback_is_on(tenant: Any) -> None:
    tenant.create_database()
    tenant.create(rollback=True)
    good = tenant.until_state("COMPLETED")
    tenant.image_tag = "does-not-exist"
    tenant.register()
    bad = tenant.update(taskDefinition=tenant.task_definition)["deployments"][0]
    until("it went back", lambda: tenant.primary()["id"] not in {good["id"], bad["id"]})
    assert tenant.primary()["taskDefinition"] == good["taskDefinition"]
    assert tenant.until_state("COMPLETED")["taskDefinition"] == good["taskDefinition"]
    failure = f"(service {tenant.service}) (deployment {bad['id']}) deployment failed: tasks failed to start."
    assert failure in tenant.events()


def test_a_deleted_service_drains_and_its_name_is_free_again(tenant: Any) -> None:
    tenant.create_database()
    tenant.create()
    tenant.until_state("COMPLETED")
    deleted = tenant.ecs.delete_service(cluster=tenant.cluster, service=tenant.service, force=True)["service"]
    assert deleted["status"] == "DRAINING"
    until("it is INACTIVE", lambda: tenant.now()["status"] == "INACTIVE")
    listed = tenant.ecs.list_services(cluster=tenant.cluster, maxResults=100)["serviceArns"]
    assert not [arn for arn in listed if arn.endswith(tenant.service)]
    assert tenant.create()["status"] == "ACTIVE"


def test_what_the_api_keeps_and_refuses(tenant: Any) -> None:
    created = tenant.create(desired=0, grace=612)
    assert created["healthCheckGracePeriodSeconds"] == 612
    assert created["enableExecuteCommand"] is True
    assert created["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": False}
    assert created["availabilityZoneRebalancing"] == "DISABLED"
    identity = created["deployments"][0]["id"]
    assert identity.startswith("ecs-svc/")
    assert len(identity) == len("ecs-svc/") + 19
    invalid = tenant.ecs.exceptions.InvalidParameterException
    with pytest.raises(invalid, match="not idempotent"):
        tenant.create()
    with pytest.raises(invalid, match="at most 10"):
        tenant.ecs.describe_services(cluster=tenant.cluster, services=[tenant.service] * 11)
    assert tenant.update(healthCheckGracePeriodSeconds=7)["deployments"][0]["id"] == identity, "no new deployment"
    assert tenant.now()["healthCheckGracePeriodSeconds"] == 7


def test_a_task_of_its_own_runs_until_it_is_stopped(tenant: Any) -> None:
    tenant.create_database()
    network = {"subnets": tenant.stack.network["subnets"], "securityGroups": tenant.stack.network["securityGroups"]}
    started = tenant.ecs.run_task(
        cluster=tenant.cluster,
        taskDefinition=tenant.name,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
    )["tasks"][0]
    assert started["lastStatus"] == "PROVISIONING"

    def described() -> dict[str, Any]:
        found: dict[str, Any] = tenant.ecs.describe_tasks(cluster=tenant.cluster, tasks=[started["taskArn"]])["tasks"][
            0
        ]
        return found

    until("it runs", lambda: described()["lastStatus"] == "RUNNING")
    tenant.ecs.stop_task(cluster=tenant.cluster, task=started["taskArn"], reason="enough")
    until("it is stopped", lambda: described()["lastStatus"] == "STOPPED")
    assert (described()["stopCode"], described()["stoppedReason"]) == ("UserInitiated", "enough")


def test_listing_tasks(tenant: Any) -> None:
    tenant.create()

    def listed(**filters: str) -> list[str]:
        arns: list[str] = tenant.ecs.list_tasks(cluster=tenant.cluster, **filters)["taskArns"]
        return arns

    assert listed(serviceName=tenant.service, desiredStatus="PENDING") == []
    ended = tenant.until_stopped()
    stopped = ended["taskArn"]
    assert stopped in listed(serviceName=tenant.service, desiredStatus="STOPPED")
    assert stopped not in listed(serviceName=tenant.service)
    assert stopped in listed(family=tenant.name, desiredStatus="STOPPED")
    assert listed(family="another", desiredStatus="STOPPED") == []
    assert listed(startedBy=ended["startedBy"], desiredStatus="STOPPED")
    with pytest.raises(tenant.ecs.exceptions.ServiceNotFoundException):
        listed(serviceName="no-such-service")
    answer = tenant.ecs.describe_tasks(cluster=tenant.cluster, tasks=[stopped, "0" * 32])
    assert [task["taskArn"] for task in answer["tasks"]] == [stopped]
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    assert len(tenant.events()) <= EVENTS_KEPT


def test_a_service_on_a_bridge_network_says_nothing_of_subnets(tenant: Any) -> None:
    """An empty object, moto's answer, makes Terraform's provider crash."""
    made = tenant.ecs.create_service(
        cluster=tenant.cluster,
        serviceName=tenant.service,
        taskDefinition=tenant.task_definition,
        desiredCount=0,
        launchType="EC2",
    )["service"]
    assert "networkConfiguration" not in made
    assert "networkConfiguration" not in tenant.now()
