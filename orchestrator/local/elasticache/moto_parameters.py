"""ElastiCache's parameter groups, which moto has not: how many databases a Redis has.

AWS: `databases` is 16 unless a group of one's own says otherwise, and it counts for replication groups that are made
with it, not later (ElastiCache user guide, "Redis OSS 2.8.6 parameters"). Kept on the replication group as `databases`.
Left out: every other parameter (taken, and told again), tags, ResetCacheParameterGroup.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import ElastiCacheException, InvalidParameterValueException
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

from orchestrator.local.core.cloud import PARTITION, Cloud
from orchestrator.local.core.corrections import replace

DATABASES = 16
MOST_DATABASES = 1_200_000


class GroupNotFound(ElastiCacheException):
    """Nobody has made it."""

    code = "CacheParameterGroupNotFound"


class GroupAlreadyExists(ElastiCacheException):
    """Its name is taken."""

    code = "CacheParameterGroupAlreadyExists"


class GroupInUse(ElastiCacheException):
    """A replication group still has it."""

    code = "InvalidCacheParameterGroupState"


@dataclass(slots=True)
class Group:
    """A parameter group, and what differs in it from its family."""

    name: str
    family: str
    description: str
    values: dict[str, str] = field(default_factory=dict)

    def told(self, region: str, account: str) -> dict[str, Any]:
        """In the API's form."""
        return {
            "CacheParameterGroupName": self.name,
            "CacheParameterGroupFamily": self.family,
            "Description": self.description,
            "IsGlobal": False,
            "ARN": f"arn:{PARTITION}:elasticache:{region}:{account}:parametergroup:{self.name}",
        }


def databases_of(group: Any) -> int:
    """How many databases a replication group has."""
    return int(getattr(group, "databases", DATABASES))


def install(_cloud: Cloud) -> None:
    """The calls, and what a new replication group takes from its parameter group."""
    create = ElastiCacheBackend.create_replication_group

    def create_replication_group(self: ElastiCacheBackend, **asked: Any) -> Any:
        name = asked.get("cache_parameter_group_name") or "default."
        values = {} if name.startswith("default.") else _find(self, name).values
        group = create(self, **asked)
        setattr(group, "databases", int(values.get("databases", DATABASES)))  # noqa: B010 - moto's own type
        return group

    replace(ElastiCacheBackend, create_replication_group=create_replication_group)
    replace(
        ElastiCacheResponse,
        create_cache_parameter_group=_create,
        modify_cache_parameter_group=_modify,
        describe_cache_parameter_groups=_describe,
        describe_cache_parameters=_describe_values,
        delete_cache_parameter_group=_delete,
    )


def _groups(backend: Any) -> dict[str, Group]:
    if not hasattr(backend, "parameter_groups"):
        backend.parameter_groups = {}
    groups: dict[str, Group] = backend.parameter_groups
    return groups


def _find(backend: Any, name: str) -> Group:
    found = _groups(backend).get(name)
    if found is None:
        raise GroupNotFound(f"CacheParameterGroup {name} not found.")
    return found


def _told(self: Any, *groups: Group) -> list[dict[str, Any]]:
    backend = self.elasticache_backend
    return [group.told(backend.region_name, backend.account_id) for group in groups]


def _create(self: Any) -> ActionResult:
    name, groups = self._get_param("CacheParameterGroupName"), _groups(self.elasticache_backend)
    if name in groups:
        raise GroupAlreadyExists(f"Cache parameter group {name} already exists.")
    groups[name] = Group(name, self._get_param("CacheParameterGroupFamily"), self._get_param("Description"))
    return ActionResult({"CacheParameterGroup": _told(self, groups[name])[0]})


def _modify(self: Any) -> ActionResult:
    group = _find(self.elasticache_backend, self._get_param("CacheParameterGroupName"))
    asked = {one["ParameterName"]: one["ParameterValue"] for one in self._get_param("ParameterNameValues", [])}
    number = asked.get("databases", "1")
    if not (number.isdecimal() and 1 <= int(number) <= MOST_DATABASES):
        raise InvalidParameterValueException(f"The parameter databases has a value out of range: {number}")
    group.values.update(asked)
    return ActionResult({"CacheParameterGroupName": group.name})


def _describe(self: Any) -> ActionResult:
    name, backend = self._get_param("CacheParameterGroupName"), self.elasticache_backend
    found = [_find(backend, name)] if name else list(_groups(backend).values())
    return ActionResult({"CacheParameterGroups": _told(self, *found)})


def _describe_values(self: Any) -> ActionResult:
    group = _find(self.elasticache_backend, self._get_param("CacheParameterGroupName"))
    told = [
        {"ParameterName": name, "ParameterValue": value, "Source": "user", "IsModifiable": True}
        for name, value in group.values.items()
    ]
    return ActionResult({"Parameters": told})


def _delete(self: Any) -> EmptyResult:
    backend, name = self.elasticache_backend, self._get_param("CacheParameterGroupName")
    group = _find(backend, name)
    if any(one.cache_parameter_group_name == name for one in backend.replication_groups.values()):
        raise GroupInUse(f"One or more cache clusters are still members of this parameter group {name}.")
    del _groups(backend)[group.name]
    return EmptyResult()
