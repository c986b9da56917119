"""Redis: the replication group's TLS and token, and whether the tasks' settings agree with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.aws.elasticache import RedisState
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist.facts import onyx_backend, redis_state
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
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.applications import CACHE, in_postgresql, is_another
from orchestrator.stack.blueprint.resources import Resource
from orchestrator.stack.records import plain, records_of
from orchestrator.steps.redis_auth import COMING

_DEATHS = frozenset(
    {
        "task-redis-unreachable",
        "task-redis-tls-mismatch",
        "task-redis-certificate-untrusted",
        "task-redis-certificate-mismatch",
        "task-redis-token-not-set",
        "task-redis-auth-failed",
        "task-redis-host-missing",
    }
)


@dataclass(frozen=True, slots=True)
class RedisCheckFacts:
    """The group (None: the stack has none), the task definitions by tenant. `secret` is its token's ARN."""

    group: RedisState | None
    definitions: Mapping[str, TaskDefinition]
    host: str = ""
    secret: str = ""


def gather(scene: Scene) -> RedisCheckFacts:
    """One call, beside the shared task definitions."""
    redis = scene.stack.redis
    if redis is None:
        return RedisCheckFacts(None, {})
    return RedisCheckFacts(scene.redis(), scene.definitions(), redis.host, redis.auth_secret_arn or "")


def judge(facts: RedisCheckFacts) -> Iterable[Finding]:
    """The group itself first; then each tenant's settings against it."""
    group = facts.group
    if group is None:
        return
    if group.status not in COMING | {"available"}:
        yield _down(group)
        return
    if facts.secret and group.tls and not group.auth and group.status == "available":
        yield _no_token(group)
    for tenant, definition in facts.definitions.items():
        another = is_another([one.image for one in definition.containers])  # others have words of their own
        if not another and not in_postgresql(definition.variables(), CACHE):
            yield from _settings(tenant, definition, group)


def _down(group: RedisState) -> Finding:
    why = f"aws elasticache describe-events --source-type replication-group --source-identifier {group.group}"
    again = "a failed one is recreated by terraform apply -replace: sessions and queued jobs are lost with it"
    return Finding(
        code="redis-not-available" if group.status else "redis-missing",
        severity=Severity.BLOCKER,
        symptom=f"Redis ({group.group}) does not answer",
        cause=f"it is {group.status}" if group.status else "there is no such replication group",
        fix=f"find out why ({why}); {again}" if group.status else "terraform apply",
        evidence=(f"Status {group.status or 'ReplicationGroupNotFoundFault'}",),
        explains=_DEATHS,
    )


def _no_token(group: RedisState) -> Finding:
    return Finding(
        code="redis-token-not-set",
        severity=Severity.BLOCKER,
        symptom=f"Redis ({group.group}) has no password, but the tasks send one",
        cause="the group was created with TLS only; its token was never set from its secret",
        fix="orchestrate run --only redis-auth",
        evidence=("AuthTokenEnabled false", "TransitEncryptionEnabled true"),
        explains=_DEATHS,
    )


def _settings(tenant: str, definition: TaskDefinition, group: RedisState) -> Iterable[Finding]:
    said, secret = definition.variables(), definition.secret_names()
    ssl = said.get("REDIS_SSL", "")
    flags = f"TransitEncryptionEnabled {str(group.tls).lower()}", f"AuthTokenEnabled {str(group.auth).lower()}"
    if "REDIS_SSL" not in secret and (ssl.lower() == "true") != group.tls:
        wanted = str(group.tls).lower()
        yield Finding(
            code="redis-tls-mismatch",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="the tasks and Redis disagree about TLS",
            cause=f"REDIS_SSL is {ssl or 'not set'}, and {group.group} has TLS {'on' if group.tls else 'off'}",
            fix=f'{{ name = "REDIS_SSL", value = "{wanted}" }} in the task definition\'s environment; terraform apply',
            evidence=(f"REDIS_SSL={ssl}", flags[0]),
            explains=_DEATHS,
        )
    yield from _certificate(tenant, said, group)
    has_password = "REDIS_PASSWORD" in secret or bool(said.get("REDIS_PASSWORD"))
    if group.auth and not has_password:
        entry = '{ name = "REDIS_PASSWORD", valueFrom = <ARN of the token\'s secret> }'
        yield Finding(
            code="redis-password-missing",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="the tasks don't send Redis's password",
            cause=f"{group.group} requires its token, and REDIS_PASSWORD is in no container's secrets",
            fix=f"{entry} in the task definition's secrets; terraform apply",
            evidence=(f"secrets: {', '.join(sorted(secret)) or 'none'}", flags[1]),
            explains=_DEATHS,
        )
    host = said.get("REDIS_HOST", "")
    if group.host and "REDIS_HOST" not in secret and plain(host) != plain(group.host):
        yield Finding(
            code="redis-host-wrong",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="the tasks look for Redis elsewhere",
            cause=f"REDIS_HOST is {host or 'not set'}; the group's primary endpoint is {group.host}",
            fix="REDIS_HOST = aws_elasticache_replication_group.this.primary_endpoint_address; terraform apply",
            evidence=(f"REDIS_HOST={host}", f"primary endpoint {group.host}:{group.port}"),
            explains=_DEATHS,
        )


def _certificate(tenant: str, said: Mapping[str, str], group: RedisState) -> Iterable[Finding]:
    """A client that verifies needs an authority to verify with: Onyx brings none."""
    wanted = said.get("REDIS_SSL_CERT_REQS", "none")
    if group.tls and wanted != "none" and not said.get("REDIS_SSL_CA_CERTS"):
        yield Finding(
            code="redis-certificate-unverifiable",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="the tasks refuse Redis's certificate",
            cause=f"REDIS_SSL_CERT_REQS is {wanted}, and REDIS_SSL_CA_CERTS names no CA",
            fix='{ name = "REDIS_SSL_CERT_REQS", value = "none" } in the task definition\'s environment (or '
            "REDIS_SSL_CA_CERTS = the path of Amazon's root certificates in the image); terraform apply",
            evidence=(f"REDIS_SSL_CERT_REQS={wanted}", "REDIS_SSL_CA_CERTS is not set"),
            explains=_DEATHS,
        )


ELASTICACHE = (".cache.amazonaws.com", ".cache.amazonaws.com.cn")

_HCL: Mapping[str, str] = {
    "redis-tls-mismatch": '{ name = "REDIS_SSL", value = "true" } # in environment',
    "redis-password-missing": '{ name = "REDIS_PASSWORD", valueFrom = aws_secretsmanager_secret.redis.arn }',
    "redis-host-wrong": '{ name = "REDIS_HOST", value = <the replication group\'s primary_endpoint_address> }',
}


def planned(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """Against the group that the task names; a Redis from elsewhere is not Terraform's to know."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = onyx_backend(unit.definition)
    if in_postgresql(definition.variables(), CACHE):
        raise NotConcerned
    groups = list(evidence.blueprint.of_type("aws_elasticache_replication_group"))
    host = _host_of(definition, evidence)
    group = _planned_group(groups, host)
    if group is None and _host_is_given(definition):
        raise NotConcerned
    if group is None:
        yield _without_redis(unit, unit.definition)
        return
    state = redis_state(group, token=_has_token_secret(evidence, group))
    if plain(state.host) == host:  # perhaps by a record
        state = replace(state, host=definition.variables().get("REDIS_HOST", ""))
    for found in judge(RedisCheckFacts(state, {unit.tenant: definition})):
        yield from_finding(
            found,
            address=unit.definition.address,
            current="; ".join(found.evidence),
            wanted='REDIS_SSL = "true" and REDIS_PASSWORD from a secret',
            hcl=_HCL.get(found.code, "").replace('"true"', f'"{str(state.tls).lower()}"'),
        )


def _host_of(definition: TaskDefinition, evidence: Evidence) -> str:
    """What REDIS_HOST leads to, perhaps by a record."""
    host = plain(definition.variables().get("REDIS_HOST", ""))
    named = (one for one in records_of(evidence.blueprint.resources.values()) if host and one.name == host)
    return next((target for one in named for target in one.targets), host)


def _planned_group(groups: Sequence[Resource], host: str) -> Resource | None:
    """The group that this host is; the first, while no host is named; None: it is none of them.

    A name of ElastiCache's says the group's id: with the id of one of these groups, it is that one's old name.
    """
    known = {name: one for one in groups for name in _hosts(one)}
    if host in known:
        return known[host]
    if host in ("", "localhost"):
        return next(iter(groups), None)
    labels = host.split(".") if host.endswith(ELASTICACHE) else []
    return next((one for one in groups if one.text("replication_group_id") in labels[:2]), None)


def _hosts(group: Resource) -> list[str]:
    names = ("primary_endpoint_address", "configuration_endpoint_address", "reader_endpoint_address")
    return [plain(group.text(name)) for name in names if group.text(name)]


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
        wanted="a Redis and its host name",
        hcl=_HCL["redis-host-wrong"],
    )


def _has_token_secret(evidence: Evidence, group: Resource) -> bool:
    """The guide's Redis asks for a token wherever it has TLS; ours gets it from the `redis-auth` step."""
    return bool(group.get("transit_encryption_enabled")) and any(
        "redis" in f"{one.address}{one.text('name')}{one.text('name_prefix')}".lower()
        for one in evidence.blueprint.of_type("aws_secretsmanager_secret", "aws_ssm_parameter")
    )


CHECK: Check[Scene, RedisCheckFacts] = Check(
    id="redis",
    title="Redis is up, and tasks and Redis agree on TLS and password",
    gather=gather,
    judge=judge,
    guide_section="Redis/Cache Issues",
)
POINTS = (
    Item(
        id="redis-settings",
        title="Tasks and Redis agree on TLS and password",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned, "REDIS_SSL and REDIS_PASSWORD match what Redis requires"),
        lines=("Redis environment includes `REDIS_SSL=true` and `REDIS_PASSWORD`",),
        about="The TLS and the password of Redis, and what the tasks are configured with.",
    ),
)
