"""ElastiCache: whether a replication group asks for its token, and setting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of, translated


@dataclass(frozen=True, slots=True)
class RedisState:
    """One replication group. `status` is ElastiCache's word; empty: there is no such group."""

    group: str
    status: str = ""
    tls: bool = False
    auth: bool = False
    host: str = ""
    port: int = 0
    members: tuple[str, ...] = ()


class ElastiCache:
    """Replication groups through a boto3 `elasticache` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def group(self, name: str) -> RedisState:
        """The group's state now."""
        try:
            answer = self._client.describe_replication_groups(ReplicationGroupId=name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("ReplicationGroupNotFoundFault", "ReplicationGroupNotFound"):
                return RedisState(name)
            raise problem_of(error, "elasticache:DescribeReplicationGroups") from None
        found = answer["ReplicationGroups"][0]
        tls, auth = found.get("TransitEncryptionEnabled", False), found.get("AuthTokenEnabled", False)
        nodes = found.get("NodeGroups") or [{}]
        endpoint = found.get("ConfigurationEndpoint") or nodes[0].get("PrimaryEndpoint") or {}
        host, port = endpoint.get("Address", ""), endpoint.get("Port", 0)
        return RedisState(
            name, found["Status"], bool(tls), bool(auth), host, port, tuple(found.get("MemberClusters", ()))
        )

    def security_groups(self, member: str) -> tuple[str, ...]:
        """Ids of the groups of one member; they are the same for all of a replication group."""
        with translated("elasticache:DescribeCacheClusters"):
            found = self._client.describe_cache_clusters(CacheClusterId=member)["CacheClusters"]
        return tuple(one["SecurityGroupId"] for cluster in found for one in cluster.get("SecurityGroups", ()))

    def set_token(self, name: str, token: str, strategy: str) -> None:
        """Set the token. A group without one needs ROTATE (both ways are accepted), then SET (only the token is)."""
        with translated("elasticache:ModifyReplicationGroup"):
            self._client.modify_replication_group(
                ReplicationGroupId=name, AuthToken=token, AuthTokenUpdateStrategy=strategy, ApplyImmediately=True
            )
