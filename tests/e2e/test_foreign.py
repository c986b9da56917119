"""What others own or use stays as it is, through the real command line: pause, resume, redis-auth, backup, restore."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.e2e.stage import Ended, Stage, stage
from tests.e2e.vaults import vault_of
from tests.waiting import until

pytestmark = pytest.mark.cloud

HERE = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Alive; somebody else's service in a cluster of its own names the database server and Redis."""
    with stage(tmp_path_factory.mktemp("foreign"), tenants=("customer-a",)) as made:
        neighbour(made)
        yield made


def neighbour(made: Stage) -> None:
    ecs = made.aws.client("ecs")
    ecs.create_cluster(clusterName="shared")
    told = {
        "DATABASE_URL": f"postgres://x@{made.contract['database']['host']}/y",
        "REDIS": made.contract["redis"]["host"],
    }
    container = {
        "name": "billing",
        "image": "nginx:1.27.5-alpine",
        "environment": [{"name": name, "value": value} for name, value in told.items()],
    }
    td = ecs.register_task_definition(family="billing", containerDefinitions=[container], cpu="256", memory="512")
    definition = td["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(cluster="shared", serviceName="billing", taskDefinition=definition, desiredCount=1)


def status(made: Stage) -> str:
    return str(made.aws.client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceStatus"])


def findings(ended: Ended, code: str) -> list[str]:
    return [one["detail"] for one in ended.of("finding-reported") if one["code"] == code]


def test_a_redis_that_others_use_keeps_its_token(shared: Stage) -> None:
    """And the run goes on: its own tasks sign in with the token once it is set."""
    ended = shared.direct("--only", "redis-auth").succeeded()
    assert ended.last["changed"] == 0
    assert any("billing" in one for one in findings(ended, "used-by-others"))
    group = shared.aws.client("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    assert not group["AuthTokenEnabled"]


def test_a_server_that_others_use_is_not_stopped_until_they_rest(shared: Stage) -> None:
    ended = shared.command("pause", "--json", "--auto-approve").succeeded()
    assert shared.service("customer-a")["desiredCount"] == 0
    assert status(shared) == "available"
    assert any("service billing in cluster shared" in one for one in findings(ended, "used-by-others"))
    shared.aws.client("ecs").update_service(cluster="shared", service="billing", desiredCount=0)
    until("the neighbour rests", lambda: not shared.aws.client("ecs").list_tasks(cluster="shared")["taskArns"])
    shared.command("pause", "--json", "--auto-approve").succeeded()
    assert status(shared) == "stopped"


def test_a_server_of_another_stack_is_not_started_and_not_marked(shared: Stage) -> None:
    """By its tag: the contract was given without a state."""
    rds = shared.aws.client("rds")
    arn = rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Stack", "Value": "onyx-prod-2"}])
    ended = shared.command("resume", "--json", "--timeout", "60")
    assert "not-this-stacks" in ended.codes
    assert status(shared) == "stopped"
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Stack", "Value": "onyx-prod"}])


def test_a_bucket_that_somebody_took_first_is_never_sent_a_backup(shared: Stage) -> None:
    """It lets everybody in, so that whoever comes notices nothing."""
    squatted = "onyx-prod-backups-123456789012"
    theirs = squatter(shared)
    theirs.create_bucket(Bucket=squatted, **HERE)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    theirs.put_bucket_policy(Bucket=squatted, Policy=policy)

    ended = shared.command("backup", "--json", "--backup-bucket", squatted)
    assert "backup-bucket-taken" in ended.codes
    assert theirs.list_objects_v2(Bucket=squatted)["KeyCount"] == 0
    assert vault_of(shared.aws.client("s3")) == ""


def squatter(made: Stage) -> Any:
    """A client of another account: moto takes the account from a header. A client of its own, as `aws` has but one."""
    session = boto3.Session("other", "other", region_name="us-west-2")
    client: Any = session.client("s3", endpoint_url=made.cloud.running.endpoint)

    def sign(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = "999999999999"

    client.meta.events.register("before-send.s3", sign)
    return client
