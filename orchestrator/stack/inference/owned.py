"""What a state manages of a stack, and what it only looks up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.stack.blueprint.changes import every_change
from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.ownership import Ownership, Part, PartKind

Ids = Callable[[Resource], tuple[str, ...]]


def _of(*names: str) -> Ids:
    """Every one of these attributes that says something: data sources call some of them otherwise."""
    return lambda one: tuple(dict.fromkeys(filter(None, map(one.text, names))))


def _service(one: Resource) -> tuple[str, ...]:
    cluster = (one.text("cluster") or one.text("cluster_arn")).rsplit("/", 1)[-1] or "default"
    name = one.text("name") or one.text("service_name")
    return (f"{cluster}/{name}",) if name else ()


TYPES: Mapping[str, tuple[PartKind, Ids]] = {
    "aws_db_instance": (PartKind.DATABASE, _of("identifier", "db_instance_identifier")),
    "aws_rds_cluster": (PartKind.CLUSTER, _of("cluster_identifier")),
    "aws_lb": (PartKind.BALANCER, _of("arn")),
    "aws_lb_target_group": (PartKind.TARGETS, _of("arn")),
    "aws_elasticache_replication_group": (PartKind.REDIS, _of("replication_group_id", "id")),
    "aws_instance": (PartKind.INSTANCE, _of("id")),
    "aws_spot_instance_request": (PartKind.INSTANCE, _of("spot_instance_id")),
    "aws_s3_bucket": (PartKind.BUCKET, _of("bucket", "id")),
    "aws_ecs_service": (PartKind.SERVICE, _service),
    "aws_secretsmanager_secret": (PartKind.SECRET, _of("arn")),
    "aws_kms_key": (PartKind.KEY, _of("arn", "key_id")),
    "aws_kms_alias": (PartKind.KEY, _of("arn", "name")),
}
"""Resource type → what it is, and what it is called in a contract."""


def ownership_of(state: Resources) -> Ownership:
    """Whose the parts of a stack with this state are. What is managed and looked up too is managed."""
    managed, looked_up = dict(_parts(state, data=False)), dict(_parts(state, data=True))
    others = {part: at for part, at in looked_up.items() if part not in managed}
    return Ownership(managed, others, keys=frozenset(_keys(state)))


def _keys(state: Resources) -> Iterator[str]:
    """The customer's: what AWS manages is called `alias/aws/…`."""
    yield from filter(None, (one.text("arn") for one in state.of("aws_kms_key", data=True)))
    for one in state.of("aws_kms_alias", data=True):
        if not one.text("name").startswith("alias/aws/") and one.text("target_key_arn"):
            yield one.text("target_key_arn")


def _parts(state: Resources, *, data: bool) -> Iterator[tuple[Part, str]]:
    for type_, (kind, ids) in TYPES.items():
        for one in state.of(type_, data=True):
            if one.is_data == data:
                yield from (((kind, name), one.address) for name in ids(one))


def ending_by(plan: Mapping[str, Any]) -> frozenset[Part]:
    """The parts that a plan (`terraform show -json`) destroys; what it only forgets stays where it is."""
    ended = (one for one in every_change(plan) if one.ends and not one.is_data)
    gone = Resources(Resource(one.address, one.type, values=one.before) for one in ended)
    return frozenset(part for part, _ in _parts(gone, data=False))
