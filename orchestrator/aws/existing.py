"""Whether an object of a name exists, for the kinds of Terraform's AWS provider that we can look up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.batches import answers
from orchestrator.aws.pages import items, one
from orchestrator.aws.session import code_of, problem_of

_ABSENT = frozenset(
    {
        "404",
        "DBInstanceNotFound",
        "DBInstanceNotFoundFault",
        "InvalidInstanceID.NotFound",
        "LoadBalancerNotFound",
        "LoadBalancerNotFoundException",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchTagSet",
        "ReplicationGroupNotFound",
        "ReplicationGroupNotFoundFault",
    }
)

Client = Callable[[str], Any]
"""A boto3 client by its service."""


@dataclass(frozen=True, slots=True)
class ExistingObject:
    """An object. `id` is what `terraform import` takes; `status` is the service's word, empty where it has none."""

    id: str
    status: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def find(client: Client, kind: str, name: str) -> ExistingObject | None:
    """The object of this kind (`aws_db_instance`) and name; None: there is none, or it is no kind of `KINDS`."""
    if kind not in _FINDERS:
        return None
    doing, look = _FINDERS[kind]
    try:
        return look(client, name)
    except (ClientError, BotoCoreError) as error:
        if code_of(error) in _ABSENT:
            return None
        raise problem_of(error, doing) from None


def _database(client: Client, name: str) -> ExistingObject | None:
    found = one(client("rds"), "describe_db_instances", "DBInstances", DBInstanceIdentifier=name)
    return ExistingObject(name, found["DBInstanceStatus"], _tags(found.get("TagList", ()))) if found else None


def _redis(client: Client, name: str) -> ExistingObject | None:
    cache = client("elasticache")
    found = one(cache, "describe_replication_groups", "ReplicationGroups", ReplicationGroupId=name)
    if found is None:
        return None
    tags = cache.list_tags_for_resource(ResourceName=found["ARN"])["TagList"] if found["Status"] == "available" else ()
    return ExistingObject(name, found["Status"], _tags(tags))


def _load_balancer(client: Client, name: str) -> ExistingObject | None:
    balancers = client("elbv2")
    found = one(balancers, "describe_load_balancers", "LoadBalancers", Names=[name])
    if found is None:
        return None
    arn = found["LoadBalancerArn"]
    said = [one for some in answers(balancers, "describe_tags", ResourceArns=[arn]) for one in some["TagDescriptions"]]
    return ExistingObject(arn, found["State"]["Code"], _tags(tag for one in said for tag in one["Tags"]))


def _instance(client: Client, instance_id: str) -> ExistingObject | None:
    reservations = items(client("ec2"), "describe_instances", "Reservations", InstanceIds=[instance_id])
    found = [one for reservation in reservations for one in reservation["Instances"]]
    return ExistingObject(instance_id, found[0]["State"]["Name"], _tags(found[0].get("Tags", ()))) if found else None


def _bucket(client: Client, name: str) -> ExistingObject | None:
    """Of our own account: whatever somebody else has made under the name says, it is not ours to adopt."""
    s3 = client("s3")
    ours = {"Bucket": name, "ExpectedBucketOwner": client("sts").get_caller_identity()["Account"]}
    s3.head_bucket(**ours)
    try:
        tags = s3.get_bucket_tagging(**ours)["TagSet"]
    except ClientError as error:
        if code_of(error) != "NoSuchTagSet":
            raise
        tags = ()
    return ExistingObject(name, tags=_tags(tags))


def _role(client: Client, name: str) -> ExistingObject:
    return ExistingObject(name, tags=_tags(client("iam").get_role(RoleName=name)["Role"].get("Tags", ())))


def _log_group(client: Client, name: str) -> ExistingObject | None:
    logs = client("logs")
    groups = items(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    arn = next((one["arn"].removesuffix(":*") for one in groups if one["logGroupName"] == name), None)
    return ExistingObject(name, tags=logs.list_tags_for_resource(resourceArn=arn)["tags"]) if arn else None


def _tags(pairs: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs}


_FINDERS: Mapping[str, tuple[str, Callable[[Client, str], ExistingObject | None]]] = {
    "aws_db_instance": ("rds:DescribeDBInstances", _database),
    "aws_elasticache_replication_group": ("elasticache:DescribeReplicationGroups", _redis),
    "aws_lb": ("elasticloadbalancing:DescribeLoadBalancers", _load_balancer),
    "aws_instance": ("ec2:DescribeInstances", _instance),
    "aws_s3_bucket": ("s3:ListBucket", _bucket),
    "aws_iam_role": ("iam:GetRole", _role),
    "aws_cloudwatch_log_group": ("logs:DescribeLogGroups", _log_group),
}
