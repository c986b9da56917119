"""The world built through the API says of itself what it is."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator

import boto3
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto import mock_aws

from orchestrator.local import world
from orchestrator.stack.contract import Stack

TENANTS = ("customer-a", "customer-b", "third")


@pytest.fixture(scope="module")
def session() -> Iterator[boto3.Session]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        with mock_aws():
            yield boto3.Session("local", "local", region_name="us-west-2")


@pytest.fixture(scope="module")
def stack(session: boto3.Session) -> Stack:
    return Stack.model_validate(world.build(session, tenants=TENANTS))


def test_it_has_the_guides_names(stack: Stack) -> None:
    tenant = stack.tenants["customer-a"]
    assert (stack.stack, stack.cluster, stack.database.instance) == (
        "onyx-prod",
        "onyx-prod-cluster",
        "onyx-prod-postgres",
    )
    assert (tenant.service, tenant.database, tenant.hostname) == (
        "customer-a-prod-service",
        "onyx_customer_a",
        "demo.vigilon.app",
    )
    assert {name: other.hostname for name, other in stack.tenants.items() if name != "customer-a"} == {
        "customer-b": "customer-b.vigilon.app",
        "third": "third.vigilon.app",
    }


def test_what_the_contract_names_exists(session: boto3.Session, stack: Stack) -> None:
    services = session.client("ecs").describe_services(
        cluster=stack.cluster, services=[tenant.service for tenant in stack.tenants.values()]
    )
    assert services["failures"] == []
    groups = session.client("elbv2").describe_target_groups(
        TargetGroupArns=[tenant.target_group_arn for tenant in stack.tenants.values()]
    )["TargetGroups"]
    assert {group["HealthCheckPath"] for group in groups} == {"/api/health"}
    balancer = session.client("elbv2").describe_load_balancers(LoadBalancerArns=[stack.load_balancer.arn])
    assert balancer["LoadBalancers"][0]["DNSName"] == stack.load_balancer.dns_name
    assert stack.runner is not None
    instances = session.client("ec2").describe_instances(InstanceIds=[stack.runner.instance_id])
    tags = {tag["Key"]: tag["Value"] for tag in instances["Reservations"][0]["Instances"][0]["Tags"]}
    assert tags["Name"] == "onyx-prod-vespa"


def test_each_tenant_is_told_of_its_own_database_redis_vespa_and_files(session: boto3.Session, stack: Stack) -> None:
    seen: dict[str, set[str]] = {}
    for name, tenant in stack.tenants.items():
        definition = session.client("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]
        api = {each["name"]: each for each in definition["containerDefinitions"]}["api"]
        variables = {pair["name"]: pair["value"] for pair in api["environment"]}
        assert variables["POSTGRES_HOST"] == stack.database.host
        assert variables["POSTGRES_DB"] == tenant.database
        assert {secret["valueFrom"] for secret in api["secrets"]} >= {f"{tenant.secret_arn}:password::"}
        for key in ("VESPA_HOST", "S3_FILE_STORE_PREFIX", "REDIS_DB_NUMBER", "REDIS_DB_NUMBER_CELERY"):
            seen.setdefault(key, set()).add(variables[key])
    assert {key: len(values) for key, values in seen.items()} == dict.fromkeys(seen, len(TENANTS))


def test_the_contract_holds_no_password(session: boto3.Session, stack: Stack) -> None:
    secrets = session.client("secretsmanager")
    shown = stack.model_dump_json()
    arns = [stack.database.admin_secret_arn, *(tenant.secret_arn for tenant in stack.tenants.values())]
    for arn in filter(None, arns):
        password = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["password"]
        assert len(password) >= 24
        assert password not in shown


def test_nothing_of_the_orchestrators_work_is_done(session: boto3.Session, stack: Stack) -> None:
    route53 = session.client("route53")
    zone = world.hosted_zone(route53, "vigilon.app")
    kinds = {each["Type"] for each in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]}
    assert kinds <= {"NS", "SOA"}


def test_each_version_of_onyx_has_its_indexes() -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        with mock_aws():
            session = boto3.Session("local", "local", region_name="us-west-2")
            made = world.build(session, name="onyx-four", tenants=("four", "three"), onyx={"four": 4, "three": 3})
    stack = Stack.model_validate(made)
    assert [one.word for one in stack.indexes] == ["vespa:three", "opensearch:four", "opensearch:three"]
    assert stack.runner is not None
    assert stack.runner.instance_id == made["tenants"]["four"]["index"]["opensearch"]["instance_id"]
