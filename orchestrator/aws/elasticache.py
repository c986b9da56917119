"""ElastiCache: whether a replication group asks for its token, and setting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import items, one
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.errors import Problem, Transient

ROTATING = "orchestrate:token"
"""Tag of a group that took ROTATE and still wants SET. AWS itself doesn't say it, and a crash may come in between."""

_BUSY = frozenset({"InvalidReplicationGroupState", "InvalidReplicationGroupStateFault"})


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
    arn: str = ""
    created: datetime | None = None


class ElastiCache:
    """Replication groups through a boto3 `elasticache` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def group(self, name: str) -> RedisState:
        """The group's state now."""
        try:
            found = one(self._client, "describe_replication_groups", "ReplicationGroups", ReplicationGroupId=name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("ReplicationGroupNotFoundFault", "ReplicationGroupNotFound"):
                return RedisState(name)
            raise problem_of(error, "elasticache:DescribeReplicationGroups") from None
        if found is None:
            return RedisState(name)
        tls, auth = found.get("TransitEncryptionEnabled", False), found.get("AuthTokenEnabled", False)
        nodes = found.get("NodeGroups") or [{}]
        endpoint = found.get("ConfigurationEndpoint") or nodes[0].get("PrimaryEndpoint") or {}
        host, port = endpoint.get("Address", ""), endpoint.get("Port", 0)
        members, arn = tuple(found.get("MemberClusters", ())), found.get("ARN", "")
        created = found.get("ReplicationGroupCreateTime")
        return RedisState(name, found["Status"], bool(tls), bool(auth), host, port, members, arn, created)

    def is_rotating(self, arn: str) -> bool:
        """Whether the group took our ROTATE and its SET isn't known to be made."""
        return ROTATING in self.tags(arn)

    def tags(self, arn: str) -> Mapping[str, str]:
        """The group's."""
        with translated("elasticache:ListTagsForResource"):
            found = self._client.list_tags_for_resource(ResourceName=arn)["TagList"]
        return {tag["Key"]: tag.get("Value", "") for tag in found}

    def security_groups(self, member: str) -> tuple[str, ...]:
        """Ids of the groups of one member; they are the same for all of a replication group."""
        with translated("elasticache:DescribeCacheClusters"):
            found = list(items(self._client, "describe_cache_clusters", "CacheClusters", CacheClusterId=member))
        return tuple(one["SecurityGroupId"] for cluster in found for one in cluster.get("SecurityGroups", ()))

    def rotate(self, group: RedisState, token: str) -> None:
        """Have the token accepted, beside none at all: the first change of a group without one."""
        with _changing(group.group, "elasticache:AddTagsToResource"):
            self._client.add_tags_to_resource(ResourceName=group.arn, Tags=[{"Key": ROTATING, "Value": "ROTATE"}])
        with _changing(group.group, "elasticache:ModifyReplicationGroup"):
            self._modify(group.group, token, "ROTATE")

    def settle(self, group: RedisState, token: str) -> None:
        """Have only the token accepted, after `rotate`."""
        with _changing(group.group, "elasticache:ModifyReplicationGroup"):
            try:
                self._modify(group.group, token, "SET")
            except ClientError as error:
                # AWS refuses a second SET: the first one was made, and only its end was not seen.
                if code_of(error) != "InvalidParameterCombination":
                    raise
        with _changing(group.group, "elasticache:RemoveTagsFromResource"):
            self._client.remove_tags_from_resource(ResourceName=group.arn, TagKeys=[ROTATING])

    def _modify(self, name: str, token: str, strategy: str) -> None:
        self._client.modify_replication_group(
            ReplicationGroupId=name, AuthToken=token, AuthTokenUpdateStrategy=strategy, ApplyImmediately=True
        )


@contextmanager
def _changing(name: str, doing: str) -> Iterator[None]:
    """Like `translated`; a group that is being changed takes no other change, tags included, until it is available."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if code_of(error) in _BUSY:
            fix = "look at the group's events in ElastiCache"
            raise Transient(Problem("redis-not-available", f"{name} is being changed", name, fix)) from None
        raise problem_of(error, doing) from None
