"""The end of a world: what `terraform destroy` deletes, deleted through the API, in an order that AWS allows.

As with Terraform, AWS has the last word: a protected database server or a bucket that is not empty stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import boto3
from botocore.exceptions import ClientError

from orchestrator.local.core.waiting import eventually
from orchestrator.local.world.parts import WorldClients

_PATIENCE = 60.0
_GONE = frozenset(
    {
        "ClusterNotFoundException",
        "DBClusterNotFoundFault",
        "DBInstanceNotFound",
        "DBInstanceNotFoundFault",
        "DBSubnetGroupNotFoundFault",
        "InvalidInstanceID.NotFound",
        "InvalidVolume.NotFound",
        "ListenerNotFound",
        "LoadBalancerNotFound",
        "NoSuchBucket",
        "NoSuchEntity",
        "ReplicationGroupNotFoundFault",
        "ResourceNotFoundException",
        "ServiceNotFoundException",
        "TargetGroupNotFound",
    }
)


def tear_down(session: boto3.Session, contract: Mapping[str, Any], *, endpoint: str | None = None) -> None:
    """Everything of the contract's stack, but zone, records, snapshots and other buckets. May be called again."""
    aws = WorldClients.of(session, endpoint)
    name = contract["stack"]
    _quietly(aws.s3.delete_bucket, Bucket=contract["bucket"])
    if cluster := contract["database"].get("cluster"):
        _aurora(aws, cluster)
    else:
        _instance(aws, contract["database"]["instance"])
    _quietly(aws.rds.delete_db_subnet_group, DBSubnetGroupName=f"{name}-postgres")
    _tenants(aws, contract)
    _balancer(aws, contract)
    _indexes(aws, contract)
    _quietly(aws.elasticache.delete_replication_group, ReplicationGroupId=f"{name}-redis")
    _wait_until_gone(lambda: aws.elasticache.describe_replication_groups(ReplicationGroupId=f"{name}-redis"))
    with suppress(ClientError):
        aws.elasticache.delete_cache_subnet_group(CacheSubnetGroupName=f"{name}-redis")
    with suppress(ClientError):  # a stack of few tenants has none of its own
        aws.elasticache.delete_cache_parameter_group(CacheParameterGroupName=f"{name}-redis")
    _roles(aws, name)
    for network in aws.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [f"{name}-vpc"]}])["Vpcs"]:
        _network(aws.ec2, network["VpcId"])
    for secret in (contract["database"]["admin_secret_arn"], contract["redis"]["auth_secret_arn"]):
        _quietly(aws.secretsmanager.delete_secret, SecretId=secret, ForceDeleteWithoutRecovery=True)


def _quietly(call: Callable[..., object], **arguments: Any) -> None:
    """What is gone already is no error."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise


def _wait_until_gone(look: Callable[[], object]) -> None:
    def gone() -> bool:
        try:
            look()
        except ClientError:
            return True
        return False

    eventually(gone, _PATIENCE)


def _instance(aws: WorldClients, instance: str) -> None:
    _quietly(aws.rds.delete_db_instance, DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    _wait_until_gone(lambda: aws.rds.describe_db_instances(DBInstanceIdentifier=instance))


def _aurora(aws: WorldClients, cluster: str) -> None:
    """Its instances first: RDS deletes no cluster that has any."""
    _instance(aws, f"{cluster}-1")
    _quietly(aws.rds.delete_db_cluster, DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    _wait_until_gone(lambda: aws.rds.describe_db_clusters(DBClusterIdentifier=cluster))


def _tenants(aws: WorldClients, contract: Mapping[str, Any]) -> None:
    cluster = contract["cluster"]
    for one in contract["tenants"].values():
        for each in (one, *one.get("workers", {}).values()):
            _quietly(aws.ecs.delete_service, cluster=cluster, service=each["service"], force=True)
        _quietly(aws.logs.delete_log_group, logGroupName=one["log_group"])
        _quietly(aws.secretsmanager.delete_secret, SecretId=one["secret_arn"], ForceDeleteWithoutRecovery=True)
    _quietly(aws.ecs.delete_cluster, cluster=cluster)


def _balancer(aws: WorldClients, contract: Mapping[str, Any]) -> None:
    _quietly(aws.elbv2.delete_load_balancer, LoadBalancerArn=contract["load_balancer"]["arn"])
    for one in contract["tenants"].values():
        _quietly(aws.elbv2.delete_target_group, TargetGroupArn=one["target_group_arn"])


def _indexes(aws: WorldClients, contract: Mapping[str, Any]) -> None:
    own = (found for tenant in contract["tenants"].values() for found in (tenant.get("index") or {}).values())
    for one in (*contract["vespa"].values(), *own):
        remove_index(aws, one["instance_id"])


def remove_index(aws: WorldClients, instance: str) -> None:
    """The instance and its volumes. May be called again."""
    attached = [{"Name": "attachment.instance-id", "Values": [instance]}]
    volumes = aws.ec2.describe_volumes(Filters=attached)["Volumes"]
    for volume in volumes:
        place = volume["Attachments"][0]
        aws.ec2.detach_volume(VolumeId=volume["VolumeId"], InstanceId=place["InstanceId"], Device=place["Device"])
    _quietly(aws.ec2.terminate_instances, InstanceIds=[instance])
    for volume in volumes:
        _quietly(aws.ec2.delete_volume, VolumeId=volume["VolumeId"])


def _network(ec2: Any, vpc: str) -> None:
    """The whole VPC: what is in use by something else goes first."""
    inside = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
    _ways_out(ec2, vpc)
    groups = [one for one in ec2.describe_security_groups(**inside)["SecurityGroups"] if one["GroupName"] != "default"]
    for group in groups:  # they name each other
        if group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    for group in groups:
        ec2.delete_security_group(GroupId=group["GroupId"])
    for table in ec2.describe_route_tables(**inside)["RouteTables"]:
        if any(one["Main"] for one in table["Associations"]):
            continue  # it goes with its VPC
        for one in table["Associations"]:
            ec2.disassociate_route_table(AssociationId=one["RouteTableAssociationId"])
        ec2.delete_route_table(RouteTableId=table["RouteTableId"])
    for subnet in ec2.describe_subnets(**inside)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)


def _ways_out(ec2: Any, vpc: str) -> None:
    for nat in ec2.describe_nat_gateways(Filter=[{"Name": "vpc-id", "Values": [vpc]}])["NatGateways"]:
        if nat["State"] != "deleted":
            ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
            for address in nat["NatGatewayAddresses"]:
                with suppress(ClientError):
                    ec2.release_address(AllocationId=address["AllocationId"])
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
        ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])


def _roles(aws: WorldClients, name: str) -> None:
    for role in [one["RoleName"] for one in aws.iam.list_roles()["Roles"] if one["RoleName"].startswith(f"{name}-")]:
        for policy in aws.iam.list_role_policies(RoleName=role)["PolicyNames"]:
            aws.iam.delete_role_policy(RoleName=role, PolicyName=policy)
        for attached in aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            aws.iam.detach_role_policy(RoleName=role, PolicyArn=attached["PolicyArn"])
        for profile in aws.iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]:
            aws.iam.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=role)
            aws.iam.delete_instance_profile(InstanceProfileName=profile["InstanceProfileName"])
        aws.iam.delete_role(RoleName=role)
