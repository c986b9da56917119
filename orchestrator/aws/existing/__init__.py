"""Which objects of those that a plan would create exist, for the kinds of Terraform's AWS provider we can look up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.existing import contained, named, network
from orchestrator.aws.existing.found import Client, ExistingObject, Look, Wanted
from orchestrator.aws.session import code_of, problem_of

__all__ = ["FINDERS", "Client", "ExistingObject", "Wanted", "find"]

FINDERS: Mapping[str, tuple[str, Look]] = {**named.FINDERS, **network.FINDERS, **contained.FINDERS}
"""Terraform's type → what is asked of AWS, and how."""

_ABSENT = frozenset(
    {
        "404",
        "CacheSubnetGroupNotFoundFault",
        "ClusterNotFoundException",
        "DBInstanceNotFound",
        "DBInstanceNotFoundFault",
        "DBSubnetGroupNotFoundFault",
        "InvalidInstanceID.NotFound",
        "InvalidRouteTableID.NotFound",
        "InvalidVolume.NotFound",
        "ListenerNotFound",
        "ListenerNotFoundException",
        "LoadBalancerNotFound",
        "LoadBalancerNotFoundException",
        "NoSuchBucket",
        "NoSuchEntity",
        "ReplicationGroupNotFound",
        "ReplicationGroupNotFoundFault",
        "TargetGroupNotFound",
        "TargetGroupNotFoundException",
    }
)


def find(client: Client, kind: str, wanted: Wanted) -> Sequence[ExistingObject]:
    """The objects of this kind (`aws_db_instance`) that could be the wanted one; none for a kind without a finder."""
    if kind not in FINDERS:
        return ()
    doing, look = FINDERS[kind]
    try:
        return look(client, wanted)
    except (ClientError, BotoCoreError) as error:
        if code_of(error) in _ABSENT:
            return ()
        raise problem_of(error, doing) from None
