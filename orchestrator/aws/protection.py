"""Deletion protection of database server and load balancer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.batches import answers, batched
from orchestrator.aws.db_clusters import GONE
from orchestrator.aws.pages import one
from orchestrator.aws.rds import CLUSTER, ELSEWHERE, INSTANCE
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


def _instance(rds: Any, name: str) -> Mapping[str, Any] | None:
    return one(rds, "describe_db_instances", "DBInstances", DBInstanceIdentifier=name)


def _cluster(rds: Any, name: str) -> Mapping[str, Any] | None:
    return one(rds, "describe_db_clusters", "DBClusters", DBClusterIdentifier=name)


_LOOKS: Mapping[str, tuple[str, tuple[str, ...], Callable[[Any, str], Mapping[str, Any] | None]]] = {
    INSTANCE: ("rds:DescribeDBInstances", ("DBInstanceNotFound", "DBInstanceNotFoundFault"), _instance),
    CLUSTER: ("rds:DescribeDBClusters", (GONE,), _cluster),
}


class Protection:
    """Through boto3 clients for `rds` and `elbv2`."""

    def __init__(self, rds: Any, elbv2: Any) -> None:
        self._rds = rds
        self._elbv2 = elbv2

    def seen(self, database: str, balancer: str, kind: str = INSTANCE) -> Protected:
        """What is gone is not protected. An empty ARN: the load balancer is not asked about."""
        protected, changing, tags = self._of_database(database, kind)
        return Protected(protected, bool(balancer) and self.bars(balancer), changing, tags)

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

    def _of_database(self, name: str, kind: str) -> tuple[bool, bool, Mapping[str, str]]:
        if kind == ELSEWHERE:
            return False, False, {}
        doing, missing, look = _LOOKS[kind]
        try:
            found = look(self._rds, name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in missing:
                return False, False, {}
            raise problem_of(error, doing) from None
        if found is None:
            return False, False, {}
        tags = {tag["Key"]: tag.get("Value", "") for tag in found.get("TagList", ())}
        status = found.get("DBInstanceStatus") or found.get("Status")
        return bool(found.get("DeletionProtection")), status == "modifying", tags

    def bars(self, arn: str) -> bool:
        """Whether ELB refuses to delete this load balancer."""
        try:
            said = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "LoadBalancerNotFound":
                return False
            raise problem_of(error, "elasticloadbalancing:DescribeLoadBalancerAttributes") from None
        return any(pair["Key"] == _ATTRIBUTE and pair["Value"] == "true" for pair in said)

    def release_database(self, name: str, kind: str = INSTANCE) -> None:
        """RDS deletes it when asked."""
        now: Mapping[str, Any] = {"DeletionProtection": False, "ApplyImmediately": True}
        if kind == CLUSTER:
            with translated("rds:ModifyDBCluster"):
                self._rds.modify_db_cluster(DBClusterIdentifier=name, **now)
        elif kind == INSTANCE:
            with translated("rds:ModifyDBInstance"):
                self._rds.modify_db_instance(DBInstanceIdentifier=name, **now)

    def release_balancer(self, arn: str) -> None:
        """ELB deletes it when asked. One attribute, of the many that a call takes."""
        with translated("elasticloadbalancing:ModifyLoadBalancerAttributes"), batched():
            self._elbv2.modify_load_balancer_attributes(
                LoadBalancerArn=arn, Attributes=[{"Key": _ATTRIBUTE, "Value": "false"}]
            )
