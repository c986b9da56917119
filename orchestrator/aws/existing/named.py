"""Objects that are alone with their name in an account and region."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.aws.batches import answers
from orchestrator.aws.existing.found import Client, ExistingObject, Look, Wanted, tags_of
from orchestrator.aws.pages import items, one
from orchestrator.aws.session import code_of

_DRAWN = re.compile(r"[0-9a-f]{26}")
"""What Terraform's SDK appends to a `name_prefix`: the time, and a number."""
_LOST_CERTIFICATES = frozenset({"EXPIRED", "FAILED", "INACTIVE", "REVOKED", "VALIDATION_TIMED_OUT"})


def _database(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    name = wanted["identifier"]
    found = items(client("rds"), "describe_db_instances", "DBInstances", DBInstanceIdentifier=name)
    return [ExistingObject(name, it["DBInstanceStatus"], tags_of(it.get("TagList", ()))) for it in found]


def _database_subnets(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    rds, name = client("rds"), wanted["name"]
    found = items(rds, "describe_db_subnet_groups", "DBSubnetGroups", DBSubnetGroupName=name)
    said = [rds.list_tags_for_resource(ResourceName=it["DBSubnetGroupArn"])["TagList"] for it in found]
    return [ExistingObject(name, tags=tags_of(tags)) for tags in said]


def _redis(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """What is still being created does not tell its tags."""
    cache, name = client("elasticache"), wanted["replication_group_id"]
    found = one(cache, "describe_replication_groups", "ReplicationGroups", ReplicationGroupId=name)
    if found is None:
        return ()
    tags = cache.list_tags_for_resource(ResourceName=found["ARN"])["TagList"] if found["Status"] == "available" else ()
    return [ExistingObject(name, found["Status"], tags_of(tags))]


def _redis_subnets(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    cache, name = client("elasticache"), wanted["name"]
    found = items(cache, "describe_cache_subnet_groups", "CacheSubnetGroups", CacheSubnetGroupName=name)
    said = [cache.list_tags_for_resource(ResourceName=it["ARN"])["TagList"] for it in found]
    return [ExistingObject(name, tags=tags_of(tags)) for tags in said]


def _load_balancer(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    balancers = client("elbv2")
    found = items(balancers, "describe_load_balancers", "LoadBalancers", Names=[wanted["name"]])
    return [of_balancing(client, it["LoadBalancerArn"], it["State"]["Code"]) for it in found]


def _target_group(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    found = items(client("elbv2"), "describe_target_groups", "TargetGroups", Names=[wanted["name"]])
    return [of_balancing(client, it["TargetGroupArn"]) for it in found]


def of_balancing(client: Client, arn: str, status: str = "") -> ExistingObject:
    """A part of load balancing, with its tags."""
    answered = answers(client("elbv2"), "describe_tags", ResourceArns=[arn])
    said = [tags for some in answered for it in some["TagDescriptions"] for tags in it["Tags"]]
    return ExistingObject(arn, status, tags_of(said))


def _bucket(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """Of our own account: whatever somebody else has made under the name says, it is not ours to adopt."""
    s3, name = client("s3"), wanted["bucket"]
    ours = {"Bucket": name, "ExpectedBucketOwner": client("sts").get_caller_identity()["Account"]}
    s3.head_bucket(**ours)
    try:
        tags = tags_of(s3.get_bucket_tagging(**ours)["TagSet"])
    except ClientError as error:
        if code_of(error) != "NoSuchTagSet":
            raise
        tags = {}
    blank = not tags and one(s3, "list_object_versions", "Versions", **ours) is None
    return [ExistingObject(name, tags=tags, blank=blank)]


def _role(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    said = client("iam").get_role(RoleName=wanted["name"])["Role"]
    return [ExistingObject(wanted["name"], tags=tags_of(said.get("Tags", ())))]


def _instance_profile(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    said = client("iam").get_instance_profile(InstanceProfileName=wanted["name"])["InstanceProfile"]
    return [ExistingObject(wanted["name"], tags=tags_of(said.get("Tags", ())))]


def _log_group(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    logs, name = client("logs"), wanted["name"]
    groups = items(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    arns = [it["arn"].removesuffix(":*") for it in groups if it["logGroupName"] == name]
    return [ExistingObject(name, tags=logs.list_tags_for_resource(resourceArn=arn)["tags"]) for arn in arns]


def _cluster(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    name = wanted["name"]
    (said,) = answers(client("ecs"), "describe_clusters", clusters=[name], include=["TAGS"])
    found = [it for it in said["clusters"] if it["status"] not in ("INACTIVE", "DEPROVISIONING")]
    return [ExistingObject(name, it["status"], _tags_of_ecs(it)) for it in found]


def _service(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    cluster, name = wanted["cluster"].rpartition("/")[2], wanted["name"]
    said = answers(client("ecs"), "describe_services", cluster=cluster, services=[name], include=["TAGS"])
    found = [it for answer in said for it in answer["services"] if it["status"] == "ACTIVE"]
    return [ExistingObject(f"{cluster}/{name}", tags=_tags_of_ecs(it)) for it in found]


def _task_definition(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """The newest revision alone: older ones are another apply's."""
    ecs, family = client("ecs"), wanted["family"]
    active = {"familyPrefix": family, "status": "ACTIVE", "sort": "DESC"}
    arns = items(ecs, "list_task_definitions", "taskDefinitionArns", **active)
    newest = next((arn for arn in arns if arn.rpartition("/")[2].rpartition(":")[0] == family), None)
    if newest is None:
        return ()
    said = ecs.describe_task_definition(taskDefinition=newest, include=["TAGS"])
    return [ExistingObject(newest, tags=_tags_of_ecs(said))]


def _tags_of_ecs(said: Mapping[str, Any]) -> Mapping[str, str]:
    return tags_of(said.get("tags", ()), "key", "value")


def _secret(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """By its name, or by what its name begins with; not one that is to be deleted."""
    name, prefix = wanted.get("name") or "", wanted.get("name_prefix") or ""
    filters = [{"Key": "name", "Values": [name or prefix]}]

    def alike(called: str) -> bool:
        drawn = called.startswith(prefix) and _DRAWN.fullmatch(called.removeprefix(prefix)) is not None
        return called == name or (bool(prefix) and drawn)

    found = list(items(client("secretsmanager"), "list_secrets", "SecretList", Filters=filters))
    ours = [it for it in found if alike(it["Name"]) and "DeletedDate" not in it]
    return [ExistingObject(it["ARN"], tags=tags_of(it.get("Tags", ()))) for it in ours]


KEY_TYPES = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
"""All that ACM has: without them its list leaves out what has a longer or another key (its API reference)."""


def _certificate(client: Client, wanted: Wanted) -> Sequence[ExistingObject]:
    """For exactly these names."""
    acm, domain = client("acm"), wanted["domain_name"]
    names = {domain, *(wanted.get("subject_alternative_names") or ())}
    found = []
    for one_of_it in items(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": KEY_TYPES}):
        if one_of_it["DomainName"] != domain:
            continue
        arn = one_of_it["CertificateArn"]
        said = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        if said["Status"] not in _LOST_CERTIFICATES and {domain, *said["SubjectAlternativeNames"]} == names:
            tags = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
            found.append(ExistingObject(arn, tags=tags_of(tags)))
    return found


FINDERS: Mapping[str, tuple[str, Look]] = {
    "aws_acm_certificate": ("acm:ListCertificates", _certificate),
    "aws_cloudwatch_log_group": ("logs:DescribeLogGroups", _log_group),
    "aws_db_instance": ("rds:DescribeDBInstances", _database),
    "aws_db_subnet_group": ("rds:DescribeDBSubnetGroups", _database_subnets),
    "aws_ecs_cluster": ("ecs:DescribeClusters", _cluster),
    "aws_ecs_service": ("ecs:DescribeServices", _service),
    "aws_ecs_task_definition": ("ecs:ListTaskDefinitions", _task_definition),
    "aws_elasticache_replication_group": ("elasticache:DescribeReplicationGroups", _redis),
    "aws_elasticache_subnet_group": ("elasticache:DescribeCacheSubnetGroups", _redis_subnets),
    "aws_iam_instance_profile": ("iam:GetInstanceProfile", _instance_profile),
    "aws_iam_role": ("iam:GetRole", _role),
    "aws_lb": ("elasticloadbalancing:DescribeLoadBalancers", _load_balancer),
    "aws_lb_target_group": ("elasticloadbalancing:DescribeTargetGroups", _target_group),
    "aws_s3_bucket": ("s3:ListBucket", _bucket),
    "aws_secretsmanager_secret": ("secretsmanager:ListSecrets", _secret),
}
