"""What a stack has that costs by the hour or the gigabyte: sizes and numbers, no prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.pages import items, one
from orchestrator.aws.session import translated


@dataclass(frozen=True, slots=True)
class TaskSize:
    """A Fargate task: CPU units (1024 are one vCPU) and MiB."""

    cpu: int
    memory: int
    architecture: str = "X86_64"


@dataclass(frozen=True, slots=True)
class Volume:
    """EBS or RDS storage: its type and GiB."""

    type: str
    size: int


class Inventory:
    """Reads through one client per service: `client` makes them, so call it in the main thread."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._ecs, self._rds, self._ec2 = client("ecs"), client("rds"), client("ec2")
        self._elasticache = client("elasticache")

    def task(self, definition: str) -> TaskSize:
        """The size of one revision."""
        with translated("ecs:DescribeTaskDefinition"):
            found = self._ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
        architecture = (found.get("runtimePlatform") or {}).get("cpuArchitecture", "X86_64")
        return TaskSize(int(found.get("cpu") or 0), int(found.get("memory") or 0), architecture)

    def storage(self, instance: str) -> Volume:
        """A DB instance's."""
        with translated("rds:DescribeDBInstances"):
            found = one(self._rds, "describe_db_instances", "DBInstances", DBInstanceIdentifier=instance)
        found = found or {}
        return Volume(found.get("StorageType", "gp2"), found.get("AllocatedStorage", 0))

    def instances(self, ids: Sequence[str]) -> tuple[str, ...]:
        """The types of those that are not gone."""
        filters = [{"Name": "instance-id", "Values": list(ids)}]
        with translated("ec2:DescribeInstances"):
            reservations = list(items(self._ec2, "describe_instances", "Reservations", Filters=filters))
        found = [one for reservation in reservations for one in reservation["Instances"]]
        return tuple(sorted(one["InstanceType"] for one in found if one["State"]["Name"] != "terminated"))

    def volumes(self, ids: Sequence[str]) -> tuple[Volume, ...]:
        """What is attached to the instances."""
        filters = [{"Name": "attachment.instance-id", "Values": list(ids)}]
        with translated("ec2:DescribeVolumes"):
            found = list(items(self._ec2, "describe_volumes", "Volumes", Filters=filters))
        return tuple(Volume(one.get("VolumeType", "gp2"), one["Size"]) for one in found)

    def nat_gateways(self, vpc: str) -> int:
        """How many the VPC has."""
        filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "state", "Values": ["available"]}]
        with translated("ec2:DescribeNatGateways"):
            return len(list(items(self._ec2, "describe_nat_gateways", "NatGateways", Filters=filters)))

    def public_addresses(self, vpc: str) -> int:
        """How many public IPv4 addresses its network interfaces have."""
        filters = [{"Name": "vpc-id", "Values": [vpc]}]
        with translated("ec2:DescribeNetworkInterfaces"):
            found = list(items(self._ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=filters))
        return sum(bool((one.get("Association") or {}).get("PublicIp")) for one in found)

    def cache_nodes(self, members: Sequence[str]) -> tuple[str, ...]:
        """The types of a replication group's nodes."""
        types = []
        for member in members:
            with translated("elasticache:DescribeCacheClusters"):
                found = list(
                    items(self._elasticache, "describe_cache_clusters", "CacheClusters", CacheClusterId=member)
                )
            types += [one.get("CacheNodeType", "") for one in found]
        return tuple(types)
