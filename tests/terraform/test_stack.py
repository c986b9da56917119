"""terraform/ as it is: its format, its own tests, and a whole life on a local cloud."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from orchestrator.local.core import api
from orchestrator.local.toolchain import toolchain
from orchestrator.stack.contract import Stack
from tests.terraform.conftest import ROOT, Terraform, every

pytestmark = pytest.mark.terraform

DEMO = "-var-file=examples/demo.tfvars"


def aws(stack: Terraform, service: str) -> Any:
    return api.client(stack.environment, service)


def test_it_is_formatted(terraform_environment: dict[str, str]) -> None:
    for part in ("terraform", "hooks"):
        done = Terraform(ROOT / part, terraform_environment).run("fmt", "-check", "-recursive", "-diff", ok=False)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.cloud
def test_it_is_valid(stack: Terraform) -> None:
    said = json.loads(stack.run("validate", "-json").stdout)
    assert (said["valid"], said["diagnostics"]) == (True, [])


@pytest.mark.cloud
def test_the_provider_of_a_mirror_is_taken_as_it_is(tools: toolchain.Toolchain, stack: Terraform) -> None:
    """Initialised with it, and no checksum was added that every command would compute again; any other has one."""
    lock = (stack.directory / ".terraform.lock.hcl").read_text()
    assert re.search(rf'version\s*= "{re.escape(tools.mirrored)}', lock)
    assert ("hashes" in lock) is not bool(tools.mirrored)


@pytest.mark.cloud
def test_its_own_tests_pass(stack: Terraform) -> None:
    stack.run("test", "-no-color")


def zone_exists(stack: Terraform) -> None:
    """The zone outlives every stack, so it is there before the first one."""
    route53 = aws(stack, "route53")
    if not route53.list_hosted_zones_by_name(DNSName="vigilon.app")["HostedZones"]:
        route53.create_hosted_zone(Name="vigilon.app", CallerReference="test")


def passwords(stack: Terraform) -> list[str]:
    secrets = aws(stack, "secretsmanager")
    values = [
        secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"]
        for secret in every(secrets, "list_secrets", "SecretList")
    ]
    return [json.loads(value)["password"] if value.startswith("{") else value for value in values]


def left_over(stack: Terraform) -> dict[str, list[str]]:
    """What would go on costing money or stand in the next apply's way."""

    def all_of(service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
        return every(aws(stack, service), operation, key, **arguments)

    instances = [one for some in all_of("ec2", "describe_instances", "Reservations") for one in some["Instances"]]
    mine = [{"Name": "tag:Stack", "Values": ["onyx-prod"]}]
    clusters = [
        one
        for arn in all_of("ecs", "list_clusters", "clusterArns")
        for one in aws(stack, "ecs").describe_clusters(clusters=[arn])["clusters"]
    ]
    return {
        "databases": [one["DBInstanceIdentifier"] for one in all_of("rds", "describe_db_instances", "DBInstances")],
        "groups": [
            one["ReplicationGroupId"]
            for one in all_of("elasticache", "describe_replication_groups", "ReplicationGroups")
        ],
        "balancers": [one["LoadBalancerName"] for one in all_of("elbv2", "describe_load_balancers", "LoadBalancers")],
        "targets": [one["TargetGroupName"] for one in all_of("elbv2", "describe_target_groups", "TargetGroups")],
        "instances": [one["InstanceId"] for one in instances if one["State"]["Name"] != "terminated"],
        "volumes": [one["VolumeId"] for one in all_of("ec2", "describe_volumes", "Volumes", Filters=mine)],
        "networks": [one["VpcId"] for one in all_of("ec2", "describe_vpcs", "Vpcs", Filters=mine)],
        "addresses": [one["PublicIp"] for one in aws(stack, "ec2").describe_addresses()["Addresses"]],
        "gateways": [
            one["NatGatewayId"]
            for one in all_of("ec2", "describe_nat_gateways", "NatGateways")
            if one["State"] != "deleted"
        ],
        "clusters": [one["clusterName"] for one in clusters if one["status"] != "INACTIVE"],
        "buckets": [one["Name"] for one in all_of("s3", "list_buckets", "Buckets")],
        "secrets": [one["Name"] for one in all_of("secretsmanager", "list_secrets", "SecretList")],
        "roles": [
            one["RoleName"] for one in all_of("iam", "list_roles", "Roles") if one["RoleName"].startswith("onyx-prod")
        ],
        "logs": [one["logGroupName"] for one in all_of("logs", "describe_log_groups", "logGroups")],
        "certificates": [one["CertificateArn"] for one in all_of("acm", "list_certificates", "CertificateSummaryList")],
    }


@pytest.mark.cloud
@pytest.mark.slow
def test_a_whole_life(stack: Terraform) -> None:
    """With the hook in the stack: a plain `terraform apply` ends with sites that answer."""
    zone_exists(stack)
    hooked = [DEMO, "-var=run_orchestrate=true", f"-var=orchestrate_command='{sys.executable}' -m orchestrator"]
    stack.run("plan", "-no-color", "-out=life.tfplan", *hooked)
    applied = stack.run("apply", "-no-color", "life.tfplan")
    assert "https://demo.vigilon.app answers with HTTP 200" in applied.stdout
    assert "https://customer-b.vigilon.app answers with HTTP 200" in applied.stdout

    outputs = json.loads(stack.run("output", "-json").stdout)
    contract = Stack.model_validate_json(json.dumps(outputs["orchestrator"]["value"]))
    assert not outputs["orchestrator"]["sensitive"]
    assert contract.database.host == outputs["postgres_address"]["value"]
    assert ":" not in contract.database.host
    assert outputs["postgres_endpoint"]["value"] == f"{contract.database.host}:5432"
    assert contract.runner is not None
    assert contract.runner.instance_id == contract.vespa["customer-a"].instance_id
    assert {name: (one.service, one.hostname, one.database) for name, one in contract.tenants.items()} == {
        "customer-a": ("customer-a-prod-service", "demo.vigilon.app", "onyx_customer_a"),
        "customer-b": ("customer-b-prod-service", "customer-b.vigilon.app", "onyx_customer_b"),
    }
    assert {record["hostname"] for record in outputs["acm_validation_records"]["value"]} == {
        one.hostname for one in contract.tenants.values()
    }

    drawn = passwords(stack)
    assert len(set(drawn)) == 4
    kept = (stack.directory / "terraform.tfstate").read_text() + applied.stdout + json.dumps(outputs)
    kept += stack.run("show", "-json", "life.tfplan").stdout
    assert [password for password in drawn if password in kept] == []

    # The token is on the group, services were redeployed, one is paused: none of it is drift.
    group = aws(stack, "elasticache").describe_replication_groups()["ReplicationGroups"][0]
    assert group["AuthTokenEnabled"]
    aws(stack, "ecs").update_service(cluster=contract.cluster, service="customer-a-prod-service", desiredCount=0)
    assert stack.run("plan", "-no-color", "-detailed-exitcode", *hooked).returncode == 0
    state = (stack.directory / "terraform.tfstate").read_text()
    assert [password for password in drawn if password in state] == []

    stack.run("destroy", "-no-color", "-auto-approve", *hooked)
    assert stack.run("state", "list").stdout == ""
    assert {kind: found for kind, found in left_over(stack).items() if found} == {}
