"""Managed nodes: which EC2 instances SSM knows, and whether their agents answer.

An instance registers when its role may call `ssm:UpdateInstanceInformation` (AmazonSSMManagedInstanceCore allows it).
Left out: Default Host Management, hybrid activations, agents that need a route
to the SSM endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from orchestrator.local.iam.instances import role_in_profile
from orchestrator.local.iam.permissions import allows

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

AGENT_BOOT = 60.0
"""Seconds from launch until the agent registered: the instance boots, the agent starts and calls home."""
REGISTRATION = "ssm:UpdateInstanceInformation"


@dataclass(frozen=True, slots=True)
class Node:
    """An instance that SSM knows. `ping` is Online or ConnectionLost."""

    instance_id: str
    ping: str
    private_ip: str
    role: str
    registered: datetime
    tags: tuple[tuple[str, str], ...]


def nodes(cloud: Cloud, account: str, region: str) -> dict[str, Node]:
    """Every managed node of an account and region by instance id. Terminated and never registered ones are absent."""
    found = (_node(cloud, account, instance) for instance in ec2_backends[account][region].all_instances())
    return {node.instance_id: node for node in found if node}


def _node(cloud: Cloud, account: str, instance: Any) -> Node | None:
    role = role_in_profile(account, instance)
    if (
        instance.state not in {"pending", "running", "stopping", "stopped"}
        or role is None
        or not allows(role.arn, REGISTRATION, "*")
    ):
        return None
    registered = instance.launch_time.replace(tzinfo=UTC) + timedelta(seconds=cloud.pace.scaled(AGENT_BOOT))
    booting = cloud.pace.now() < registered
    if booting and not getattr(instance, "restarted", False):
        return None
    hangs = cloud.faults.active("runner-offline") and not getattr(instance, "agent_began_anew", False)
    answers = instance.state == "running" and not booting and not hangs
    return Node(
        instance_id=instance.id,
        ping="Online" if answers else "ConnectionLost",
        private_ip=instance.private_ip or "",
        role=role.name,
        registered=registered,
        tags=tuple((tag["key"], tag["value"]) for tag in instance.get_tags()),
    )
