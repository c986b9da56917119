"""Late truth: what was changed just now is shown as it was, for one to three reads at least, and then as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local import world
from orchestrator.local.core.caller import OBSERVER, TERRAFORM
from orchestrator.local.endpoint import client
from orchestrator.local.laws.consistency import MOST_READS, EarlierState
from tests.local.local_cloud import Aws, LocalCloud
from tests.waiting import CLOSELY, until

pytestmark = pytest.mark.cloud

Anybody = Callable[..., Any]
Contract = dict[str, Any]
NEVER = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
"""A deployment that is never over: its tasks have no database, and nobody counts their failures."""
FOR_HOURS = 36_000
"""Real seconds: however busy the machine is, a look comes while the truth is late, and reads alone end that."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder: Path = tmp_path_factory.mktemp("late")
    running = client.up("late", folder, speed=300, late=FOR_HOURS)
    try:
        yield LocalCloud(folder, running, client.ask(running, "env"))
    finally:
        client.down(folder)


@pytest.fixture(scope="module")
def stack(aws: Aws) -> Contract:
    return world.build(aws.session, endpoint=aws.endpoint)


def seen(look: Callable[[], Any]) -> Any:
    """What a look shows: a value, or AWS's code for an error."""
    try:
        return look()
    except ClientError as error:
        return error.response["Error"]["Code"]


def reads_until(truth: Any, look: Callable[[], Any]) -> list[Any]:
    """What looks show before they show the truth; then it stays."""
    before: list[Any] = []

    def true() -> bool:
        before.append(seen(look))
        return bool(before[-1] == truth)

    until(f"it shows {truth!r}", true, often=CLOSELY)
    del before[-1]
    assert [seen(look) for _ in range(MOST_READS)] == [truth] * MOST_READS
    return before


def shows(before: list[Any], old: Any) -> bool:
    return bool(before) and all(one == old for one in before)


def test_a_services_deployments_are_listed_late_and_show_late_that_they_are_stopped(
    anybody: Anybody, stack: Contract
) -> None:
    ecs, one = anybody("ecs"), {"cluster": stack["cluster"], "service": stack["tenants"]["customer-b"]["service"]}

    def listed(**more: Any) -> set[str]:
        shown = ecs.list_service_deployments(**one, **more)["serviceDeployments"]
        return {each["serviceDeploymentArn"] for each in shown}

    def status() -> str:
        return str(ecs.describe_service_deployments(serviceDeploymentArns=[new])["serviceDeployments"][0]["status"])

    old = listed()
    ecs.update_service(**one, forceNewDeployment=True, deploymentConfiguration=NEVER)
    assert listed(status=["PENDING"]) == set(), "what is old is narrowed as well"
    until("the list shows the new one", lambda: len(listed()) > len(old), often=CLOSELY)
    (new,) = listed() - old
    assert status() == "IN_PROGRESS"
    ecs.stop_service_deployment(serviceDeploymentArn=new)
    assert status() == "IN_PROGRESS"
    until("it shows that it goes back", lambda: status() != "IN_PROGRESS", often=CLOSELY)


def test_a_service_shows_its_old_deployment(anybody: Anybody, stack: Contract) -> None:
    ecs, one = anybody("ecs"), stack["tenants"]["customer-a"]["service"]

    def deployment() -> str:
        found = ecs.describe_services(cluster=stack["cluster"], services=[one])["services"][0]["deployments"]
        return str(next(each["id"] for each in found if each["status"] == "PRIMARY"))

    old = deployment()
    changed = ecs.update_service(cluster=stack["cluster"], service=one, forceNewDeployment=True)["service"]
    new = changed["deployments"][0]["id"]
    assert new != old, "the answer to the change itself is true"
    assert shows(reads_until(new, deployment), old)


def test_a_services_tags_and_counts_are_late_too(anybody: Anybody, stack: Contract) -> None:
    ecs, one = anybody("ecs"), stack["tenants"]["customer-b"]["service"]
    where = {"cluster": stack["cluster"], "services": [one]}
    arn = ecs.describe_services(**where)["services"][0]["serviceArn"]

    def tags() -> dict[str, str]:
        found = ecs.describe_services(**where, include=["TAGS"])["services"][0]["tags"]
        return {each["key"]: each["value"] for each in found}

    old = tags()
    assert "paused" not in old
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "paused", "value": "yes"}])
    assert shows(reads_until(old | {"paused": "yes"}, tags), old)
    ecs.update_service(cluster=stack["cluster"], service=one, desiredCount=2)
    assert shows(reads_until(2, lambda: ecs.describe_services(**where)["services"][0]["desiredCount"]), 1)


def test_a_new_service_is_missing_at_first(anybody: Anybody, stack: Contract) -> None:
    ecs = anybody("ecs")
    definition = ecs.describe_services(cluster=stack["cluster"], services=[stack["tenants"]["customer-a"]["service"]])[
        "services"
    ][0]
    ecs.create_service(
        cluster=stack["cluster"],
        serviceName="newborn",
        taskDefinition=definition["taskDefinition"],
        desiredCount=0,
        networkConfiguration=definition["networkConfiguration"],
    )

    def look() -> Any:
        answer = ecs.describe_services(cluster=stack["cluster"], services=["newborn"])
        return [one["reason"] for one in answer["failures"]] or [one["serviceName"] for one in answer["services"]]

    assert shows(reads_until(["newborn"], look), ["MISSING"])


def test_a_command_is_not_known_right_after_it_was_sent(anybody: Anybody, stack: Contract) -> None:
    ssm, runner = anybody("ssm"), stack["runner"]["instance_id"]
    sent = ssm.send_command(InstanceIds=[runner], DocumentName="AWS-RunShellScript", Parameters={"commands": ["true"]})[
        "Command"
    ]["CommandId"]
    look = lambda: bool(ssm.get_command_invocation(CommandId=sent, InstanceId=runner))  # noqa: E731 - one line
    assert shows(reads_until(True, look), "InvocationDoesNotExist")


def test_parameters_and_secrets_keep_their_old_value(anybody: Anybody) -> None:
    ssm, secrets = anybody("ssm"), anybody("secretsmanager")
    ssm.put_parameter(Name="/late/one", Value="first", Type="SecureString")
    value = lambda: ssm.get_parameter(Name="/late/one", WithDecryption=True)["Parameter"]["Value"]  # noqa: E731
    assert shows(reads_until("first", value), "ParameterNotFound")
    ssm.put_parameter(Name="/late/one", Value="second", Type="SecureString", Overwrite=True)
    found = lambda: ssm.get_parameters(Names=["/late/one"], WithDecryption=True)["Parameters"][0]["Value"]  # noqa: E731
    assert shows(reads_until("second", found), "first")
    ssm.delete_parameters(Names=["/late/one"])
    assert shows(reads_until("ParameterNotFound", value), "second")

    arn = secrets.create_secret(Name="late/one", SecretString="first")["ARN"]
    secret = lambda: secrets.get_secret_value(SecretId=arn)["SecretString"]  # noqa: E731
    assert shows(reads_until("first", secret), "ResourceNotFoundException")
    secrets.put_secret_value(SecretId=arn, SecretString="second")
    batch = lambda: [one["SecretString"] for one in secrets.batch_get_secret_value(SecretIdList=[arn])["SecretValues"]]  # noqa: E731
    assert shows(reads_until(["second"], batch), ["first"])


def test_databases_and_instances_show_their_old_state(anybody: Anybody, stack: Contract) -> None:
    rds, ec2 = anybody("rds"), anybody("ec2")
    name, one = stack["database"]["instance"], stack["vespa"]["customer-b"]["instance_id"]
    arn = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceArn"]

    def tags() -> dict[str, str]:
        found = rds.list_tags_for_resource(ResourceName=arn)["TagList"]
        return {each["Key"]: each["Value"] for each in found}

    old = tags()
    assert "paused" not in old
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "paused", "Value": "yes"}])
    assert shows(reads_until(old | {"paused": "yes"}, tags), old)

    def named() -> Any:
        found = ec2.describe_instances(InstanceIds=[one])["Reservations"][0]["Instances"][0]
        return {each["Key"]: each["Value"] for each in found["Tags"]}.get("late")

    ec2.create_tags(Resources=[one], Tags=[{"Key": "late", "Value": "yes"}])
    assert shows(reads_until("yes", named), None)
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    made = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    look = lambda: ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"][0]["SnapshotId"]  # noqa: E731
    assert shows(reads_until(made, look), "InvalidSnapshot.NotFound")


def test_roles_and_balancers(anybody: Anybody, stack: Contract) -> None:
    iam, elb, arn = anybody("iam"), anybody("elbv2"), stack["load_balancer"]["arn"]
    iam.create_role(RoleName="late", AssumeRolePolicyDocument="{}")
    assert shows(reads_until("late", lambda: iam.get_role(RoleName="late")["Role"]["RoleName"]), "NoSuchEntity")

    def protected() -> Any:
        found = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {one["Key"]: one["Value"] for one in found}["deletion_protection.enabled"]

    wanted = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)
    assert shows(reads_until("true", protected), "false")


@pytest.mark.parametrize("agent", [OBSERVER, TERRAFORM])
def test_who_is_exempt_sees_everything_and_is_seen_at_once(anybody: Anybody, agent: str) -> None:
    theirs, ours = anybody("ssm", agent=agent), anybody("ssm")
    name = f"/late/{agent}"
    ours.put_parameter(Name=name, Value="ours", Type="String")
    assert theirs.get_parameter(Name=name)["Parameter"]["Value"] == "ours"
    theirs.put_parameter(Name=name, Value="theirs", Type="String", Overwrite=True)
    assert ours.get_parameter(Name=name)["Parameter"]["Value"] == "theirs"


@pytest.fixture
def _fault(cloud: LocalCloud) -> Iterator[None]:
    yield
    cloud.ask("faults", "DELETE")


@pytest.mark.usefixtures("_fault")
def test_a_fault_is_seen_at_once(anybody: Anybody, cloud: LocalCloud) -> None:
    ssm = anybody("ssm")
    ssm.put_parameter(Name="/late/fault", Value="new", Type="String")
    cloud.ask("faults", "POST", name="oom", tenant="nobody")
    assert ssm.get_parameter(Name="/late/fault")["Parameter"]["Value"] == "new"


@pytest.mark.parametrize(
    ("reads", "now", "over"),
    [(3, 10.0, False), (0, 10.0, False), (3, 12.0, False), (0, 12.0, True), (3, 15.0, True), (0, 15.0, True)],
)
def test_time_and_reads_decide_together_and_neither_for_ever(reads: int, now: float, *, over: bool) -> None:
    """Changed at 10.0: late until 12.0, for so many reads, and not after 15.0."""
    old = EarlierState({}, until=12.0, reads=reads, latest=15.0, faults=frozenset())
    assert old.over(now, frozenset()) is over
    assert old.over(now, frozenset({("oom", "a")})), "a fault is seen at once"
