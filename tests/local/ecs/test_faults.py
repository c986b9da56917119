"""The faults that tasks feel: what each looks like from outside, and that it is over when it is cleared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import until

pytestmark = pytest.mark.cloud

ADDRESSES = 11
LONG = 100 * 24 * 3600
"""Seconds of AWS's clock."""
"""Of a /28: sixteen without the five that AWS keeps."""


@pytest.fixture
def healthy(tenant: Any) -> Any:
    tenant.create_database()
    tenant.create(grace=0)
    tenant.until_state("COMPLETED")
    return tenant


def _inject(tenant: Any, fault: str) -> None:
    tenant.stack.cloud.ask("faults", "POST", name=fault, tenant=tenant.name)


def _recovers(tenant: Any) -> None:
    tenant.stack.cloud.ask("faults", "DELETE")
    tenant.update(forceNewDeployment=True)
    assert tenant.until_state("COMPLETED")["runningCount"] == 1


def _until_none_runs(tenant: Any) -> None:
    until("no task runs", lambda: tenant.now()["runningCount"] == 0)


def test_oom(healthy: Any) -> None:
    _inject(healthy, "oom")
    stopped = healthy.until_stopped()
    assert stopped["stoppedReason"] == "Essential container in task exited"
    api = next(container for container in stopped["containers"] if container["name"] == "api")
    assert (api["exitCode"], api["reason"]) == (137, "OutOfMemoryError: Container killed due to memory usage")
    until("every new task is killed too", lambda: len(healthy.tasks("STOPPED")) >= 3)
    assert healthy.primary()["rolloutState"] == "COMPLETED", "the breaker watches rollouts only"
    _recovers(healthy)


def test_image_pull(healthy: Any) -> None:
    _inject(healthy, "image-pull")
    failed = until(
        "a new task can't start",
        lambda: next((t for t in healthy.tasks("STOPPED") if t.get("stopCode") == "TaskFailedToStart"), None),
    )
    assert failed["stoppedReason"].startswith("CannotPullContainerError: pull image manifest")
    assert [c["reason"] for c in failed["containers"] if "reason" in c] == [failed["stoppedReason"]]
    until(
        "ECS says that it can't",
        lambda: any("is unable to consistently start tasks successfully." in event for event in healthy.events()),
    )
    _recovers(healthy)


def test_unhealthy_target(healthy: Any) -> None:
    _inject(healthy, "unhealthy-target")
    stopped = healthy.until_stopped()
    where = f"(target-group {healthy.target_group})"
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"] == f"Task failed ELB health checks in {where}"
    identity = stopped["taskArn"].rsplit("/", 1)[-1]
    assert (
        f"(service {healthy.service}) (task {identity}) (port 80) is unhealthy in {where} due to "
        "(reason Health checks failed with these codes: [503])"
    ) in healthy.events()
    _recovers(healthy)


def test_missing_database(healthy: Any) -> None:
    _inject(healthy, "missing-database")
    _until_none_runs(healthy)
    until(
        "it can't boot again",
        lambda: f'FATAL:  database "{healthy.database}" does not exist' in healthy.log(),
    )
    with healthy.stack.admin() as admin:
        assert not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (healthy.database,)).fetchone()
    healthy.stack.cloud.ask("faults", "DELETE")
    healthy.create_database()
    _recovers(healthy)


@pytest.mark.parametrize("fault", ["stuck-pending", "image-pull", "container-exits"])
def test_a_task_that_a_fault_stops_leaves_the_others_stuck(healthy: Any, fault: str) -> None:
    """Only whom a person stops: a fault may come while tasks are just getting stuck, or beside another one."""
    deployed = healthy.primary()["createdAt"]

    def stuck(*, but: str = "") -> str:
        found = [t["taskArn"] for t in healthy.tasks() if t["createdAt"] < deployed and t["taskArn"] != but]
        return str(found[0]) if found else ""

    _inject(healthy, "stuck-pending")
    first = until("a task is stuck", stuck)
    _inject(healthy, fault)
    second = until("the next one is stuck too", lambda: stuck(but=first))
    if fault != "stuck-pending":
        healthy.stack.cloud.ask("faults", "DELETE", name=fault, tenant=healthy.name)
    healthy.ecs.stop_task(cluster=healthy.cluster, task=second, reason="it waits for ever")
    until("a task runs", lambda: healthy.now()["runningCount"] == 1)


def test_a_fault_of_one_tenant_leaves_the_others_alone(healthy: Any, stack: Any) -> None:
    stack.cloud.ask("faults", "POST", name="oom", tenant="somebody-else")
    (before,) = healthy.tasks()
    healthy.update(forceNewDeployment=True)
    assert healthy.until_state("COMPLETED")["failedTasks"] == 0
    assert before["taskArn"] not in {task["taskArn"] for task in healthy.tasks()}


def test_a_task_whose_subnet_is_full_never_starts(tenant: Any) -> None:
    network = tenant.stack.network
    made = tenant.stack.client("ec2").create_subnet(VpcId=network["vpc"], CidrBlock="10.0.255.240/28")["Subnet"]
    full = replace(tenant.stack, network={**network, "subnets": [made["SubnetId"]]})
    tenant.create_database()
    # No task may give its address back: neither to a health check that a slow machine answers late,
    # nor because eleven of them migrated the schema at once.
    replace(tenant, stack=full).create(grace=LONG)
    tenant.until_state("COMPLETED")
    tenant.update(desiredCount=ADDRESSES + 1)
    stopped = tenant.until_stopped()
    assert stopped["stopCode"] == "TaskFailedToStart"
    assert stopped["stoppedReason"].endswith(f"in subnet '{made['SubnetId']}': InsufficientFreeAddressesInSubnet")
    addresses = {address for task in tenant.tasks() if (address := address_of(task))}
    assert len(addresses) == ADDRESSES, "nobody else lacks one, and no two have the same"
    until("each of them runs", lambda: tenant.now()["runningCount"] == ADDRESSES)
    with pytest.raises(ClientError, match="InsufficientFreeAddressesInSubnet"):
        tenant.stack.client("ec2").run_instances(
            ImageId="ami-12c6146b", InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=made["SubnetId"]
        )


def address_of(task: dict[str, Any]) -> str:
    details = {pair["name"]: pair["value"] for pair in task["attachments"][0]["details"]}
    return str(details["privateIPv4Address"])
