"""Everything that a stack of terraform/ and its backups can leave in an account: how it is found, how it is deleted.

By the stack's tag, or by its name. What is on its way out is still found; what AWS goes on listing long after its end
(a terminated instance, an inactive cluster) is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.aws.existing.named import KEY_TYPES
from tests.smoke.account import Account

STACK_TAG, BACKUP_TAG = "Stack", "orchestrate:stack"


@dataclass(frozen=True, slots=True)
class Stack:
    """Whose remains. `tenant`, `mark`: the parts of those names that don't begin with the stack's.

    `zone`: the id of the hosted zone that the site's name is in; empty: its name is in none.
    """

    account: Account
    name: str
    tenant: str
    mark: str
    hostname: str
    zone: str = ""

    @property
    def family(self) -> str:
        """Of its task definitions."""
        return f"{self.tenant}-{self.mark}"

    def client(self, service: str) -> Any:
        """boto3's."""
        return self.account.client(service)

    def all(self, service: str, operation: str, found: str, **given: Any) -> list[Any]:
        """Every page of a list; empty where what it is about is not there."""
        try:
            return list(self.client(service).get_paginator(operation).paginate(**given).search(found))
        except ClientError as error:
            if "NotFound" in error.response["Error"]["Code"]:
                return []
            raise


Find = Callable[[Stack], list[str]]
End = Callable[[Stack, str], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """`covers`: Terraform's types that are found with it, or go with it."""

    name: str
    find: Find
    end: End
    covers: Sequence[str] = ()


def _call(service: str, operation: str, argument: str, **more: Any) -> End:
    return lambda stack, name: getattr(stack.client(service), operation)(**{argument: name}, **more)


def _with_tag(operation: str, found: str, identity: str, tag: str = STACK_TAG, **more: Any) -> Find:
    """EC2's. The tags in the answer decide: who does not know a filter may pass over it."""

    def find(stack: Stack) -> list[str]:
        asked = [{"Name": f"tag:{tag}", "Values": [stack.name]}]
        return _tagged(stack, stack.all("ec2", operation, found, Filters=asked, **more), identity, tag)

    return find


def _tagged(stack: Stack, found: Sequence[Any], identity: str, tag: str = STACK_TAG) -> list[str]:
    return [str(one[identity]) for one in found if {"Key": tag, "Value": stack.name} in one.get("Tags", ())]


def _with_name(service: str, operation: str, found: str, **more: Any) -> Find:
    return lambda stack: _ours(stack, stack.all(service, operation, found, **more))


def _ours(stack: Stack, names: Sequence[Any]) -> list[str]:
    return [str(name) for name in names if str(name).startswith((f"{stack.name}-", f"{stack.name}/"))]


def _services(stack: Stack) -> list[str]:
    return stack.all("ecs", "list_services", "serviceArns[]", cluster=f"{stack.name}-cluster")


def _end_service(stack: Stack, arn: str) -> None:
    stack.client("ecs").delete_service(cluster=f"{stack.name}-cluster", service=arn, force=True)


def _clusters(stack: Stack) -> list[str]:
    found = stack.client("ecs").describe_clusters(clusters=[f"{stack.name}-cluster"])["clusters"]
    return [str(one["clusterArn"]) for one in found if one["status"] != "INACTIVE"]


def _task_definitions(stack: Stack) -> list[str]:
    found = stack.all("ecs", "list_task_definitions", "taskDefinitionArns[]", familyPrefix=stack.family)
    return [arn for arn in found if f"/{stack.family}:" in arn]


def _load_balancers(stack: Stack) -> list[str]:
    found = stack.all("elbv2", "describe_load_balancers", "LoadBalancers[]")
    return [one["LoadBalancerArn"] for one in found if one["LoadBalancerName"] == f"{stack.name}-alb"]


def _target_groups(stack: Stack) -> list[str]:
    found = stack.all("elbv2", "describe_target_groups", "TargetGroups[]")
    return [one["TargetGroupArn"] for one in found if one["TargetGroupName"] == f"{stack.family}-tg"]


def _kept_backups(stack: Stack) -> list[str]:
    """RDS keeps those of an instance that is gone."""
    found = stack.all("rds", "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups[]")
    ours = _ours(stack, [one["DBInstanceIdentifier"] for one in found])
    kept = [one for one in found if one["DBInstanceIdentifier"] in ours and one["Status"] == "retained"]
    return [one["DbiResourceId"] for one in kept]


def _buckets(stack: Stack) -> list[str]:
    return _ours(stack, [one["Name"] for one in stack.client("s3").list_buckets()["Buckets"]])


def _end_bucket(stack: Stack, name: str) -> None:
    s3 = stack.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if objects := [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]:
            s3.delete_objects(Bucket=name, Delete={"Objects": objects})
    s3.delete_bucket(Bucket=name)


def _secrets(stack: Stack) -> list[str]:
    found = stack.all("secretsmanager", "list_secrets", "SecretList[]", IncludePlannedDeletion=True)
    return [one["ARN"] for one in found if _ours(stack, [one["Name"]])]


def _lent_passwords(stack: Stack) -> list[str]:
    ours = [{"Key": "Name", "Option": "BeginsWith", "Values": [f"/orchestrate/{stack.name}/"]}]
    return stack.all("ssm", "describe_parameters", "Parameters[].Name", ParameterFilters=ours)


def _log_groups(stack: Stack) -> list[str]:
    prefix = f"/{stack.name}/"
    return stack.all("logs", "describe_log_groups", "logGroups[].logGroupName", logGroupNamePrefix=prefix)


def _end_profile(stack: Stack, name: str) -> None:
    iam = stack.client("iam")
    for role in iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role["RoleName"])
    iam.delete_instance_profile(InstanceProfileName=name)


def _end_role(stack: Stack, name: str) -> None:
    iam = stack.client("iam")
    for one in stack.all("iam", "list_attached_role_policies", "AttachedPolicies[].PolicyArn", RoleName=name):
        iam.detach_role_policy(RoleName=name, PolicyArn=one)
    for one in stack.all("iam", "list_role_policies", "PolicyNames[]", RoleName=name):
        iam.delete_role_policy(RoleName=name, PolicyName=one)
    iam.delete_role(RoleName=name)


OF_ANY_KEY = {"Includes": {"keyTypes": KEY_TYPES}}
"""ACM's list leaves out what isn't RSA, as the kit's own certificate."""


def _certificates(stack: Stack) -> list[str]:
    acm = stack.client("acm")
    arns = stack.all("acm", "list_certificates", "CertificateSummaryList[].CertificateArn", **OF_ANY_KEY)
    tags = {arn: acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] for arn in arns}
    return [arn for arn in arns if (STACK_TAG, stack.name) in [(tag["Key"], tag.get("Value")) for tag in tags[arn]]]


def _addresses(stack: Stack) -> list[str]:
    ours = [{"Name": f"tag:{STACK_TAG}", "Values": [stack.name]}]
    return _tagged(stack, stack.client("ec2").describe_addresses(Filters=ours)["Addresses"], "AllocationId")


def _end_group(stack: Stack, group: str) -> None:
    """Without its rules first: two groups may name each other in theirs."""
    ec2, mine = stack.client("ec2"), [{"Name": "group-id", "Values": [group]}]
    for rule in stack.all("ec2", "describe_security_group_rules", "SecurityGroupRules[]", Filters=mine):
        revoke = ec2.revoke_security_group_egress if rule["IsEgress"] else ec2.revoke_security_group_ingress
        revoke(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    ec2.delete_security_group(GroupId=group)


def _end_gateway(stack: Stack, gateway: str) -> None:
    ec2 = stack.client("ec2")
    (found,) = ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"]
    for one in found["Attachments"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=one["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def _end_table(stack: Stack, table: str) -> None:
    ec2 = stack.client("ec2")
    (found,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    for one in found["Associations"]:
        ec2.disassociate_route_table(AssociationId=one["RouteTableAssociationId"])
    ec2.delete_route_table(RouteTableId=table)


def _records_of(stack: Stack) -> dict[str, Any]:
    """At the hostname and below it: the site's address, and what ACM has asked for. By type and name."""
    if not stack.zone:
        return {}
    name = f"{stack.hostname}."
    found = stack.all("route53", "list_resource_record_sets", "ResourceRecordSets[]", HostedZoneId=stack.zone)
    mine = [one for one in found if one["Name"] == name or one["Name"].endswith(f".{name}")]
    return {f"{one['Type']} {one['Name']}": one for one in mine}


def _records(stack: Stack) -> list[str]:
    return list(_records_of(stack))


def _end_record(stack: Stack, record: str) -> None:
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": _records_of(stack)[record]}]}
    stack.client("route53").change_resource_record_sets(HostedZoneId=stack.zone, ChangeBatch=batch)


_RUNNING = "Reservations[].Instances[] | [?State.Name != 'terminated']"
_FOREVER = {"SkipFinalSnapshot": True, "DeleteAutomatedBackups": True}

KINDS: Sequence[Kind] = (
    Kind("service", _services, _end_service, ("aws_ecs_service",)),
    Kind("cluster", _clusters, _call("ecs", "delete_cluster", "cluster"), ("aws_ecs_cluster",)),
    Kind(
        "task definition",
        _task_definitions,
        _call("ecs", "deregister_task_definition", "taskDefinition"),
        ("aws_ecs_task_definition",),
    ),
    Kind(
        "load balancer",
        _load_balancers,
        _call("elbv2", "delete_load_balancer", "LoadBalancerArn"),
        ("aws_lb", "aws_lb_listener", "aws_lb_listener_certificate", "aws_lb_listener_rule"),
    ),
    Kind(
        "target group",
        _target_groups,
        _call("elbv2", "delete_target_group", "TargetGroupArn"),
        ("aws_lb_target_group",),
    ),
    Kind(
        "instance",
        _with_tag("describe_instances", _RUNNING, "InstanceId"),
        lambda stack, name: stack.client("ec2").terminate_instances(InstanceIds=[name]),
        ("aws_instance", "aws_volume_attachment"),
    ),
    Kind(
        "database",
        _with_name("rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
        _call("rds", "delete_db_instance", "DBInstanceIdentifier", **_FOREVER),
        ("aws_db_instance",),
    ),
    Kind(
        "database snapshot",
        _with_name("rds", "describe_db_snapshots", "DBSnapshots[].DBSnapshotIdentifier", SnapshotType="manual"),
        _call("rds", "delete_db_snapshot", "DBSnapshotIdentifier"),
    ),
    Kind(
        "database's kept backups",
        _kept_backups,
        _call("rds", "delete_db_instance_automated_backup", "DbiResourceId"),
    ),
    Kind(
        "database's subnet group",
        _with_name("rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupName"),
        _call("rds", "delete_db_subnet_group", "DBSubnetGroupName"),
        ("aws_db_subnet_group",),
    ),
    Kind(
        "Redis",
        _with_name("elasticache", "describe_replication_groups", "ReplicationGroups[].ReplicationGroupId"),
        _call("elasticache", "delete_replication_group", "ReplicationGroupId"),
        ("aws_elasticache_replication_group",),
    ),
    Kind(
        "Redis's subnet group",
        _with_name("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups[].CacheSubnetGroupName"),
        _call("elasticache", "delete_cache_subnet_group", "CacheSubnetGroupName"),
        ("aws_elasticache_subnet_group",),
    ),
    Kind(
        "volume",
        _with_tag("describe_volumes", "Volumes[]", "VolumeId"),
        _call("ec2", "delete_volume", "VolumeId"),
        ("aws_ebs_volume",),
    ),
    Kind(
        "volume snapshot",
        _with_tag("describe_snapshots", "Snapshots[]", "SnapshotId", BACKUP_TAG, OwnerIds=["self"]),
        _call("ec2", "delete_snapshot", "SnapshotId"),
    ),
    Kind(
        "bucket",
        _buckets,
        _end_bucket,
        ("aws_s3_bucket", "aws_s3_bucket_versioning", "aws_s3_bucket_public_access_block"),
    ),
    Kind(
        "secret",
        _secrets,
        _call("secretsmanager", "delete_secret", "SecretId", ForceDeleteWithoutRecovery=True),
        ("aws_secretsmanager_secret", "aws_secretsmanager_secret_version"),
    ),
    Kind("lent password", _lent_passwords, _call("ssm", "delete_parameter", "Name")),
    Kind("log group", _log_groups, _call("logs", "delete_log_group", "logGroupName"), ("aws_cloudwatch_log_group",)),
    Kind(
        "instance profile",
        _with_name("iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
        _end_profile,
        ("aws_iam_instance_profile",),
    ),
    Kind(
        "role",
        _with_name("iam", "list_roles", "Roles[].RoleName"),
        _end_role,
        ("aws_iam_role", "aws_iam_role_policy", "aws_iam_role_policy_attachment"),
    ),
    Kind(
        "certificate",
        _certificates,
        _call("acm", "delete_certificate", "CertificateArn"),
        ("aws_acm_certificate", "aws_acm_certificate_validation"),
    ),
    Kind(
        "endpoint",
        _with_tag("describe_vpc_endpoints", "VpcEndpoints[?State != 'deleted']", "VpcEndpointId"),
        lambda stack, name: stack.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[name]),
        ("aws_vpc_endpoint",),
    ),
    Kind(
        "NAT gateway",
        _with_tag("describe_nat_gateways", "NatGateways[?State != 'deleted']", "NatGatewayId"),
        _call("ec2", "delete_nat_gateway", "NatGatewayId"),
        ("aws_nat_gateway",),
    ),
    Kind("address", _addresses, _call("ec2", "release_address", "AllocationId"), ("aws_eip",)),
    Kind(
        "security group",
        _with_tag("describe_security_groups", "SecurityGroups[]", "GroupId"),
        _end_group,
        ("aws_security_group", "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"),
    ),
    Kind(
        "subnet",
        _with_tag("describe_subnets", "Subnets[]", "SubnetId"),
        _call("ec2", "delete_subnet", "SubnetId"),
        ("aws_subnet",),
    ),
    Kind(
        "route table",
        _with_tag("describe_route_tables", "RouteTables[]", "RouteTableId"),
        _end_table,
        ("aws_route_table", "aws_route_table_association", "aws_route"),
    ),
    Kind(
        "internet gateway",
        _with_tag("describe_internet_gateways", "InternetGateways[]", "InternetGatewayId"),
        _end_gateway,
        ("aws_internet_gateway",),
    ),
    Kind("network", _with_tag("describe_vpcs", "Vpcs[]", "VpcId"), _call("ec2", "delete_vpc", "VpcId"), ("aws_vpc",)),
    Kind("record", _records, _end_record),
)
"""In the order in which they can be deleted."""
