"""Tasks that are replaced, or that crash again and again, seen to be so before a test goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.e2e.stage import Stage
from tests.waiting import until


@contextmanager
def restarting(stage: Stage) -> Iterator[None]:
    """Every tenant's tasks are to be replaced, and the new ones are not there before the end."""
    stage.fault("stuck-pending")
    ecs, contract = stage.aws.client("ecs"), stage.contract
    for tenant in contract["tenants"].values():
        ecs.update_service(cluster=contract["cluster"], service=tenant["service"], forceNewDeployment=True)
    yield
    stage.clear_faults()
    for tenant in contract["tenants"]:
        until(f"{tenant} is up again", partial(one_deployment, stage, tenant))


def one_deployment(stage: Stage, tenant: str) -> bool:
    return [one["rolloutState"] for one in stage.service(tenant)["deployments"]] == ["COMPLETED"]


def crash(stage: Stage) -> None:
    """Every tenant's tasks crash from now on, again and again, and leave their last words."""
    tenants = list(stage.contract["tenants"])
    before = {tenant: killed(stage, tenant) for tenant in tenants}
    stage.fault("oom")
    for tenant in tenants:
        until(f"{tenant} crashes", partial(killed_since, stage, tenant, before[tenant]))


def killed(stage: Stage, tenant: str) -> set[str]:
    """Its tasks that used more memory than they may. Others, which an earlier fault ended, have written nothing."""
    ecs, cluster = stage.aws.client("ecs"), stage.contract["cluster"]
    service = stage.contract["tenants"][tenant]["service"]
    ended = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=ended)["tasks"] if ended else []
    return {one["taskArn"] for one in tasks if any("OutOfMemory" in it.get("reason", "") for it in one["containers"])}


def killed_since(stage: Stage, tenant: str, before: set[str]) -> set[str]:
    return killed(stage, tenant) - before


def has_a_task(stage: Stage, tenant: str) -> bool:
    return bool(stage.service(tenant)["runningCount"])
