"""A tenant of Onyx 4: its `background` is an ECS service of its own, which no load balancer leads to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stage import Stage, stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

TENANT, WORKER = "customer-a", "customer-a/background"


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("background")
    with stage(folder, tenants=(TENANT, "customer-b"), onyx={TENANT: 4}) as made:
        yield made


def services(made: Stage) -> dict[str, dict[str, Any]]:
    own = made.contract["tenants"][TENANT]
    names = {TENANT: own["service"], WORKER: own["workers"]["background"]["service"]}
    asked = {"cluster": made.contract["cluster"], "services": [*names.values()]}
    found = {one["serviceName"]: one for one in made.aws.client("ecs").describe_services(**asked)["services"]}
    return {subject: found[name] for subject, name in names.items()}


def deployments(made: Stage) -> dict[str, str]:
    found = services(made)
    return {who: next(it["id"] for it in one["deployments"] if it["status"] == "PRIMARY") for who, one in found.items()}


def test_both_its_services_are_brought_to_life_redeployed_paused_and_resumed(four: Stage) -> None:
    first = four.direct().succeeded()
    seen = {one["subject"] for one in first.of("step-done", "services")}
    assert {TENANT, WORKER, "customer-b"} <= seen
    assert services(four)[WORKER]["loadBalancers"] == []

    before = deployments(four)
    four.command("redeploy", TENANT, "--json").succeeded()
    after = deployments(four)
    assert {who for who in before if before[who] != after[who]} == {TENANT, WORKER}

    told = four.command("tasks", "--json").of("task-observed")
    assert {TENANT, WORKER, "customer-b"} <= {one["subject"] for one in told}
    lines = four.command("logs", "--tenant", TENANT, "--since", "1d", "--json").of("log-line")
    assert {"api", "background"} <= {one["container"] for one in lines}

    four.command("pause", "--auto-approve", "--tenant", TENANT, "--json").succeeded()
    assert {who: one["desiredCount"] for who, one in services(four).items()} == {TENANT: 0, WORKER: 0}
    four.command("resume", "--tenant", TENANT, "--json").succeeded()
    assert {who: one["desiredCount"] for who, one in services(four).items()} == {TENANT: 1, WORKER: 1}


def migrators(made: Stage) -> list[dict[str, Any]]:
    """Every task that a migration was run in, as long as ECS knows it."""
    ecs, cluster = made.aws.client("ecs"), made.contract["cluster"]
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
        for arn in page["taskArns"]
    ]
    tasks = [one for arn in arns for one in ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]]
    return [one for one in tasks if one.get("startedBy") == "orchestrate-migrate"]


def migrated(made: Stage) -> int:
    """How often the log of the tenant's tasks says that one of its migrations was run."""
    logs, group = made.aws.client("logs"), made.contract["tenants"][TENANT]["log_group"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return sum("Running upgrade 8e26726b7683 ->" in event["message"] for page in pages for event in page["events"])


def test_a_schema_is_migrated_by_one_task_before_the_rollout(four: Stage) -> None:
    four.direct().succeeded()
    times = migrated(four)
    with four.tenant_login(TENANT) as database:
        database.execute("UPDATE alembic_version SET version_num = '8e26726b7683'")
        database.execute("DROP TABLE opensearch_tenant_migration_record")  # of a later migration, which would meet it
    before = deployments(four)
    killed = four.started("migrate", TENANT)
    try:
        until("the migration's task is there", lambda: migrators(four))
    finally:
        killed.kill()
        killed.wait()
    done = four.command("migrate", TENANT, "--lock-timeout", "60", "--json").succeeded()
    assert done.of("step-done", "schema-migrated", TENANT)
    assert migrated(four) == times + 1
    after = deployments(four)
    assert {who for who in before if before[who] != after[who]} == {TENANT, WORKER}


def test_nothing_is_rolled_out_when_the_migration_fails(four: Stage) -> None:
    four.direct().succeeded()
    with four.tenant_login(TENANT) as database:
        (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    before = deployments(four)
    try:
        ran = four.command("migrate", TENANT, "--json")
        assert ran.failures == [("schema-migrated", TENANT, "schema-newer")]
        told = [one["detail"] for one in ran.of("log-line", "schema-migrated", TENANT)]
        assert any("Can't locate revision" in line for line in told)
        assert deployments(four) == before
    finally:
        with four.tenant_login(TENANT) as database:
            database.execute("UPDATE alembic_version SET version_num = %s", (revision,))


def test_a_background_that_is_down_is_found_and_named(four: Stage) -> None:
    four.direct().succeeded()
    name = four.contract["tenants"][TENANT]["workers"]["background"]["service"]
    four.aws.client("ecs").update_service(cluster=four.contract["cluster"], service=name, desiredCount=0)
    ran = four.direct("--only", "services")
    assert ran.failures == [("services", WORKER, "desired-count-zero")]
    found = four.command("doctor", "--json").of("finding-reported")
    assert [one["subject"] for one in found if one["code"] == "desired-count-zero"] == [WORKER]
    four.aws.client("ecs").update_service(cluster=four.contract["cluster"], service=name, desiredCount=1)
    four.direct("--only", "services").succeeded()
