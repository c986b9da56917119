"""Tasks and Redis agree on TLS and password."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist.facts import backend, onyx_backend, redis_state
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
)
from orchestrator.doctor.checks import redis as checks
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.resources import Resource

ELASTICACHE = (".cache.amazonaws.com", ".cache.amazonaws.com.cn")
_HCL: Mapping[str, str] = {
    "redis-tls-mismatch": '{ name = "REDIS_SSL", value = "true" } # in environment',
    "redis-password-missing": '{ name = "REDIS_PASSWORD", valueFrom = aws_secretsmanager_secret.redis.arn }',
    "redis-host-wrong": '{ name = "REDIS_HOST", value = <the replication group\'s primary_endpoint_address> }',
}


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """Against the group that the task names; a Redis from elsewhere is not Terraform's to know."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = backend(unit.definition)
    groups = list(evidence.blueprint.of_type("aws_elasticache_replication_group"))
    group = _own(groups, definition)
    if group is None and _host_is_given(definition):
        raise NotConcerned
    if group is None:
        onyx_backend(unit.definition)  # others need no Redis
        yield _without_redis(unit, unit.definition)
        return
    state = redis_state(group, token=_has_token_secret(evidence, group))
    for found in checks.judge(checks.RedisCheckFacts(state, {unit.tenant: definition})):
        yield from_finding(
            found,
            address=unit.definition.address,
            current="; ".join(found.evidence),
            wanted='REDIS_SSL = "true" and REDIS_PASSWORD from a secret',
            hcl=_HCL.get(found.code, "").replace('"true"', f'"{str(state.tls).lower()}"'),
        )


def _own(groups: Sequence[Resource], definition: TaskDefinition) -> Resource | None:
    """The group that REDIS_HOST names; the only one, while its name isn't known or no host is named.

    A name of ElastiCache's that no group has is one that is wrong (an old one); any other is a Redis elsewhere.
    """
    host = definition.variables().get("REDIS_HOST", "").lower().rstrip(".")
    known = {name: one for one in groups for name in _hosts(one)}
    elsewhere = bool(host) and host not in known and not host.endswith(ELASTICACHE) and host != "localhost"
    if elsewhere and all(any(_hosts(one)) for one in groups):
        return None
    return known.get(host, next(iter(groups), None))


def _hosts(group: Resource) -> list[str]:
    names = ("primary_endpoint_address", "configuration_endpoint_address", "reader_endpoint_address")
    return [group.text(name).lower() for name in names if group.text(name)]


def _host_is_given(definition: TaskDefinition) -> bool:
    """By a variable, by a secret, or by a container beside it, which is where Onyx looks when nothing is said."""
    beside = any("redis" in one.image or "valkey" in one.image for one in definition.containers)
    return beside or "REDIS_HOST" in definition.variables() or "REDIS_HOST" in definition.secret_names()


def _without_redis(unit: TenantService, definition: Resource) -> Remark:
    return Remark(
        status=Status.FAILED,
        code="redis-not-given",
        severity=Severity.WARNING,
        subject=unit.tenant,
        says="nobody can sign in, and nothing is indexed",
        why="Onyx keeps sessions and its queue in Redis, and looks for it on localhost unless REDIS_HOST is set",
        address=definition.address,
        current="no REDIS_HOST, no replication group, no container of Redis",
        wanted="a Redis, and its host",
        hcl=_HCL["redis-host-wrong"],
    )


def _has_token_secret(evidence: Evidence, group: Resource) -> bool:
    """The guide's Redis asks for a token wherever it has TLS; ours gets it from the `redis-auth` step."""
    return bool(group.get("transit_encryption_enabled")) and any(
        "redis" in f"{one.address}{one.text('name')}{one.text('name_prefix')}".lower()
        for one in evidence.blueprint.of_type("aws_secretsmanager_secret", "aws_ssm_parameter")
    )


ITEM = Item(
    id="redis-settings",
    title="Tasks and Redis agree on TLS and password",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "REDIS_SSL and REDIS_PASSWORD are as Redis wants them"),
    lines=("Redis environment includes `REDIS_SSL=true` and `REDIS_PASSWORD`",),
)
