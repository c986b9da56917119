"""ElastiCache: members, status, AUTH tokens.

moto: a replication group's member clusters do not exist, its deletion never ends, the AUTH token and
several modifications are dropped, DeleteCacheSubnetGroup is not there, and a group made again has another address.

AWS: member clusters can be described; a group is `creating`, `modifying`, `deleting` for minutes; the token is set by
ModifyReplicationGroup with a strategy: ROTATE adds one beside the old (or none), SET makes a rotated one the only one.
Left out: node failures, snapshots' data. Tokens stay in this process (`redis_accepts`); `redis` asks for them.
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.elasticache.exceptions import (
    CacheSubnetGroupNotFound,
    ElastiCacheException,
    InvalidParameterCombinationException,
    InvalidParameterValueException,
)
from moto.elasticache.models import CacheCluster, ElastiCacheBackend, ReplicationGroup
from moto.elasticache.responses import ElastiCacheResponse

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace

CREATE_SECONDS = 300.0
MODIFY_SECONDS = 60.0
DELETE_SECONDS = 180.0
DEFAULT_VERSION = "7.1.0"
"""What AWS takes when none is asked for; Terraform's provider fails on none."""

TOKEN = re.compile(r"[!-~]{16,128}")
"""16 to 128 printable characters without space; AWS also refuses `/`, `@` and `"`."""


class InvalidState(ElastiCacheException):
    """The group is not available."""

    code = "InvalidReplicationGroupState"


class SubnetGroupInUse(ElastiCacheException):
    """A group still uses it."""

    code = "CacheSubnetGroupInUse"


def token_defect(token: str) -> str:
    """What is wrong with an AUTH token, or nothing."""
    if not TOKEN.fullmatch(token) or any(mark in token for mark in '/@"'):
        return "Invalid AuthToken provided. It must be 16-128 printable characters without '/', '\"', '@' or spaces."
    return ""


def strategy_defect(strategy: str, *, enabled: bool, rotated: bool) -> str:
    """Why AWS refuses this AuthTokenUpdateStrategy, or nothing.

    `enabled`: the group has a token; `rotated`: a ROTATE was not yet made final by SET. On a group without a token the
    first change must be ROTATE; SET follows a ROTATE.
    """
    if strategy not in ("ROTATE", "SET"):
        return f"AuthTokenUpdateStrategy {strategy or '(none)'} is not supported: use ROTATE or SET."
    if strategy == "SET" and not rotated:
        reason = "the auth token was not rotated before" if enabled else "the replication group has no auth token"
        return f"The AuthTokenUpdateStrategy SET is not valid: {reason}."
    return ""


class ReplicationGroups:
    """What happens to a replication group over time."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._rotated: dict[str, str] = {}

    def created(self, backend: ElastiCacheBackend, group: ReplicationGroup, token: str | None) -> None:
        """`creating` → `available`, with member clusters."""
        if token:
            self._cloud.redis_accepts[group.replication_group_id] = (token,)
        group.engine_version = group.engine_version or DEFAULT_VERSION
        group.node_groups = _at_home(group.node_groups, backend.region_name)
        for member in group.member_clusters:
            backend.cache_clusters[member] = _member(backend, group, member)
        self._set_status(backend, group, "creating")
        self._cloud.after(CREATE_SECONDS, lambda: self._available(backend, group, "creating"))

    def modified(self, backend: ElastiCacheBackend, group: ReplicationGroup) -> None:
        """`modifying` → `available`."""
        self._set_status(backend, group, "modifying")
        self._cloud.after(MODIFY_SECONDS, lambda: self._available(backend, group, "modifying"))

    def deleting(self, backend: ElastiCacheBackend, group: ReplicationGroup) -> None:
        """`deleting`, then gone with its members and its token."""
        self._set_status(backend, group, "deleting")

        def end() -> None:
            for member in group.member_clusters:
                backend.cache_clusters.pop(member, None)
            backend.replication_groups.pop(group.replication_group_id, None)
            self._cloud.redis_accepts.pop(group.replication_group_id, None)
            self._rotated.pop(group.replication_group_id, None)

        self._cloud.after(DELETE_SECONDS, end)

    def set_token(self, group: ReplicationGroup, token: str, strategy: str) -> None:
        """ROTATE or SET the AUTH token. Raises what AWS raises."""
        name = group.replication_group_id
        if not group.transit_encryption_enabled:
            raise InvalidParameterCombinationException("The AUTH token modification requires encryption in transit.")
        if defect := token_defect(token):
            raise InvalidParameterValueException(defect)
        if defect := strategy_defect(strategy, enabled=bool(group.auth_token_enabled), rotated=name in self._rotated):
            raise InvalidParameterCombinationException(defect)
        if strategy == "SET":
            self._rotated.pop(name)
        else:
            self._rotated[name] = token
        before = self._cloud.redis_accepts.get(name, (None,))
        self._cloud.redis_accepts[name] = (token,) if strategy == "SET" else (*before[-1:], token)
        group.auth_token_enabled = True
        group.auth_token_last_modified_date = utcnow()

    def _set_status(self, backend: ElastiCacheBackend, group: ReplicationGroup, status: str) -> None:
        group.status = status
        for node_group in group.node_groups:
            node_group["status"] = status
        for member in group.member_clusters:
            backend.cache_clusters[member].cache_cluster_status = status

    def _available(self, backend: ElastiCacheBackend, group: ReplicationGroup, after: str) -> None:
        if group.status == after:
            self._set_status(backend, group, "available")
            for member in group.member_clusters:
                backend.cache_clusters[member].auth_token_enabled = group.auth_token_enabled


def _at_home(value: Any, region: str) -> Any:
    """The same, with the region's own zones and names: moto writes us-east-1's into every region's groups.

    Six characters of an address are the account's in that region: a group made again has its old address.
    """
    if isinstance(value, dict):
        return {key: _at_home(inner, region) for key, inner in value.items()}
    if isinstance(value, list):
        return [_at_home(inner, region) for inner in value]
    if isinstance(value, str):
        own = f".{_short(region)}."
        return _RANDOM_PART.sub(ACCOUNTS_PART, value).replace(".use1.", own).replace("us-east-1", region)
    return value


def _short(region: str) -> str:
    """As host names have it: usw2, ugw1 (us-gov-west-1)."""
    first, *directions, number = region.split("-")
    return (first if len(directions) == 1 else first[0]) + "".join(one[0] for one in directions) + number


_RANDOM_PART = re.compile(r"(?<=\.)[a-z0-9]{6}(?=\.use1\.cache\.)")
ACCOUNTS_PART = "q7xk2f"


def _member(backend: ElastiCacheBackend, group: ReplicationGroup, name: str) -> CacheCluster:
    nothing = dict.fromkeys(CacheCluster.__init__.__annotations__.keys() - {"return"})
    shared = {key: getattr(group, key) for key in nothing if hasattr(group, key)}
    wanted = {
        "account_id": backend.account_id,
        "region_name": backend.region_name,
        "cache_cluster_id": name,
        "num_cache_nodes": 1,
        "preferred_availability_zone": f"{backend.region_name}a",
        "az_mode": "single-az",
        "auth_token": None,
        "tags": [],
        "log_delivery_configurations": [],
    }
    cluster = CacheCluster(**{**nothing, **shared, **wanted})
    lost = {
        "at_rest_encryption_enabled": group.at_rest_encryption_enabled,
        "transit_encryption_mode": group.transit_encryption_mode,
        "auth_token_enabled": group.auth_token_enabled,
        "security_groups": [{"SecurityGroupId": one, "Status": "active"} for one in group.security_group_ids or []],
        "cache_parameter_group": {
            "CacheParameterGroupName": group.cache_parameter_group_name or f"default.{group.engine}7",
            "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": [],
        },
    }
    for attribute, value in lost.items():
        setattr(cluster, attribute, value)
    return cluster


def install(cloud: Cloud) -> None:
    """Member clusters, status with time, tokens, and the missing deletion."""
    groups = ReplicationGroups(cloud)
    _correct_life(groups)
    _correct_modification(groups)
    _add_subnet_group_deletion()


def _correct_life(groups: ReplicationGroups) -> None:
    create, delete = ElastiCacheBackend.create_replication_group, ElastiCacheBackend.delete_replication_group

    def create_replication_group(self: ElastiCacheBackend, **asked: Any) -> ReplicationGroup:
        if asked.get("auth_token") and not asked.get("transit_encryption_enabled"):
            raise InvalidParameterCombinationException(
                "The AUTH token is only supported when encryption-in-transit is enabled"
            )
        group = create(self, **asked)
        groups.created(self, group, asked.get("auth_token"))
        return group

    def delete_replication_group(
        self: ElastiCacheBackend, replication_group_id: str, retain_primary_cluster: bool | None
    ) -> ReplicationGroup:
        known = self.replication_groups.get(replication_group_id)
        if known is not None and known.status == "deleting":
            raise InvalidState(f"Replication group {replication_group_id} has status deleting which is not valid.")
        group = delete(self, replication_group_id, retain_primary_cluster)
        groups.deleting(self, group)
        return group

    replace(
        ElastiCacheBackend,
        create_replication_group=create_replication_group,
        delete_replication_group=delete_replication_group,
    )


KEPT = {
    "SnapshotWindow": "snapshot_window",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "EngineVersion": "engine_version",
    "SecurityGroupIds": "security_group_ids",
    "NotificationTopicArn": "notification_topic_arn",
    "TransitEncryptionMode": "transit_encryption_mode",
}
"""Changes moto drops: request parameter → attribute of the group and of its members."""


def _correct_modification(groups: ReplicationGroups) -> None:
    modify = ElastiCacheResponse.modify_replication_group

    def modify_replication_group(self: Any) -> ActionResult:
        backend: ElastiCacheBackend = self.elasticache_backend
        group = backend.describe_replication_groups(self._get_param("ReplicationGroupId"))[0]
        if group.status != "available":
            name = group.replication_group_id
            raise InvalidState(f"Replication group {name} has status {group.status} which is not valid for modifying.")
        token = self._get_param("AuthToken")
        if token is not None:
            groups.set_token(group, token, self._get_param("AuthTokenUpdateStrategy") or "ROTATE")
        result = modify(self)
        for parameter, attribute in KEPT.items():
            value = self._get_param(parameter)
            if value is not None:
                _keep(backend, group, attribute, value)
        groups.modified(backend, group)
        return result

    replace(ElastiCacheResponse, modify_replication_group=modify_replication_group)


def _keep(backend: ElastiCacheBackend, group: ReplicationGroup, attribute: str, value: Any) -> None:
    for one in (group, *(backend.cache_clusters[member] for member in group.member_clusters)):
        setattr(one, attribute, value)


def _add_subnet_group_deletion() -> None:
    def delete_cache_subnet_group(self: Any) -> EmptyResult:
        backend: ElastiCacheBackend = self.elasticache_backend
        name = self._get_param("CacheSubnetGroupName")
        if name not in backend.cache_subnet_groups:
            raise CacheSubnetGroupNotFound(name)
        if any(group.cache_subnet_group_name == name for group in backend.replication_groups.values()):
            raise SubnetGroupInUse(f"Cache subnet group {name} is currently in use by a cache cluster.")
        del backend.cache_subnet_groups[name]
        return EmptyResult()

    replace(ElastiCacheResponse, delete_cache_subnet_group=delete_cache_subnet_group)
