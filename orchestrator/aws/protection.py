"""Deletion protection of database server and load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.batches import answers, batched
from orchestrator.aws.pages import one
from orchestrator.aws.session import code_of, problem_of, translated

_ATTRIBUTE = "deletion_protection.enabled"


@dataclass(frozen=True, slots=True)
class Protected:
    """What AWS refuses to delete."""

    database: bool = False
    balancer: bool = False
    changing: bool = False
    """The database server is being modified: RDS takes nothing else until it is done."""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The database server's."""


class Protection:
    """Through boto3 clients for `rds` and `elbv2`."""

    def __init__(self, rds: Any, elbv2: Any) -> None:
        self._rds = rds
        self._elbv2 = elbv2

    def seen(self, instance: str, balancer: str) -> Protected:
        """What is gone is not protected. An empty ARN: the load balancer is not asked about."""
        database, changing, tags = self._of_database(instance)
        return Protected(database, bool(balancer) and self._of_balancer(balancer), changing, tags)

    def balancer_tags(self, arn: str) -> Mapping[str, str]:
        """The load balancer's; none of one that is gone."""
        try:
            asked = answers(self._elbv2, "describe_tags", ResourceArns=[arn])
            said = [it for some in asked for it in some["TagDescriptions"]]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "LoadBalancerNotFound":
                return {}
            raise problem_of(error, "elasticloadbalancing:DescribeTags") from None
        return {tag["Key"]: tag.get("Value", "") for it in said for tag in it["Tags"]}

    def _of_database(self, instance: str) -> tuple[bool, bool, Mapping[str, str]]:
        try:
            found = one(self._rds, "describe_db_instances", "DBInstances", DBInstanceIdentifier=instance)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
                return False, False, {}
            raise problem_of(error, "rds:DescribeDBInstances") from None
        if found is None:
            return False, False, {}
        tags = {tag["Key"]: tag.get("Value", "") for tag in found.get("TagList", ())}
        return bool(found.get("DeletionProtection")), found["DBInstanceStatus"] == "modifying", tags

    def _of_balancer(self, arn: str) -> bool:
        try:
            said = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "LoadBalancerNotFound":
                return False
            raise problem_of(error, "elasticloadbalancing:DescribeLoadBalancerAttributes") from None
        return any(pair["Key"] == _ATTRIBUTE and pair["Value"] == "true" for pair in said)

    def release_database(self, instance: str) -> None:
        """RDS deletes it when asked."""
        with translated("rds:ModifyDBInstance"):
            self._rds.modify_db_instance(DBInstanceIdentifier=instance, DeletionProtection=False, ApplyImmediately=True)

    def release_balancer(self, arn: str) -> None:
        """ELB deletes it when asked. One attribute, of the many that a call takes."""
        with translated("elasticloadbalancing:ModifyLoadBalancerAttributes"), batched():
            self._elbv2.modify_load_balancer_attributes(
                LoadBalancerArn=arn, Attributes=[{"Key": _ATTRIBUTE, "Value": "false"}]
            )
