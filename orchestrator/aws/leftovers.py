"""What of a stack still costs money: by the contract's ids, and by the tag `Stack` that terraform/ gives to all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.batches import answers
from orchestrator.aws.pages import items, pages
from orchestrator.aws.session import code_of, problem_of, translated

_GONE = frozenset(
    {
        "DBClusterNotFoundFault",
        "DBInstanceNotFound",
        "DBInstanceNotFoundFault",
        "LoadBalancerNotFound",
        "ReplicationGroupNotFoundFault",
        "InvalidInstanceID.NotFound",
    }
)


class Leftovers:
    """Through boto3 clients for `ec2`, `rds`, `elbv2` and `elasticache`."""

    def __init__(self, ec2: Any, rds: Any, elbv2: Any, elasticache: Any) -> None:
        self._ec2 = ec2
        self._rds = rds
        self._elbv2 = elbv2
        self._elasticache = elasticache

    def find(
        self, stack: str, *, database: str, cluster: str, balancers: Sequence[str], redis: str, instances: Sequence[str]
    ) -> tuple[str, ...]:
        """In words, each with its id. What has an empty id is not asked about."""
        found = []
        if database and self._has(self._rds, "describe_db_instances", DBInstanceIdentifier=database):
            found.append(f"database server {database}")
        if cluster and self._has(self._rds, "describe_db_clusters", DBClusterIdentifier=cluster):
            found.append(f"database cluster {cluster}")
        found += [
            f"load balancer {one}"
            for one in balancers
            if self._has(self._elbv2, "describe_load_balancers", LoadBalancerArns=[one])
        ]
        if redis and self._has(self._elasticache, "describe_replication_groups", ReplicationGroupId=redis):
            found.append(f"Redis {redis}")
        found += [f"instance {one}" for one in instances if self._lives(one)]
        return (*found, *self._tagged(stack))

    def _has(self, client: Any, operation: str, **wanted: Any) -> bool:
        try:
            list(pages(client, operation, **wanted))
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _GONE:
                return False
            raise problem_of(error, f"aws:{operation}") from None
        return True

    def _lives(self, instance: str) -> bool:
        try:
            found = list(items(self._ec2, "describe_instances", "Reservations", InstanceIds=[instance]))
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _GONE:
                return False
            raise problem_of(error, "ec2:DescribeInstances") from None
        states = [one["State"]["Name"] for many in found for one in many["Instances"]]
        return any(state not in ("terminated", "shutting-down") for state in states)

    def _tagged(self, stack: str) -> list[str]:
        mine = [{"Name": "tag:Stack", "Values": [stack]}]
        with translated("ec2:DescribeVolumes"):
            volumes = list(items(self._ec2, "describe_volumes", "Volumes", Filters=mine))
        with translated("ec2:DescribeNatGateways"):
            every = items(self._ec2, "describe_nat_gateways", "NatGateways")
            gateways = [one for one in every if _is_of(one, stack)]
        with translated("ec2:DescribeAddresses"):
            said = answers(self._ec2, "describe_addresses", Filters=mine)
            addresses = [one for answer in said for one in answer["Addresses"]]
        return [
            *(f"volume {one['VolumeId']}" for one in volumes),
            *(f"NAT gateway {one['NatGatewayId']}" for one in gateways if one["State"] not in ("deleted", "deleting")),
            *(f"address {one['PublicIp']}" for one in addresses),
        ]


def _is_of(raw: Mapping[str, Any], stack: str) -> bool:
    return any((pair["Key"], pair["Value"]) == ("Stack", stack) for pair in raw.get("Tags", ()))
