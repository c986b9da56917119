"""Redis: the replication group's TLS and token, and whether the tasks' settings agree with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.elasticache import RedisState
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

_COMING = frozenset({"available", "creating", "modifying", "snapshotting"})
_DEATHS = frozenset(
    {
        "task-redis-unreachable",
        "task-redis-tls-mismatch",
        "task-redis-certificate-untrusted",
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
    if group.status not in _COMING:
        yield _down(group)
        return
    if facts.secret and group.tls and not group.auth and group.status == "available":
        yield _no_token(group)
    for tenant, definition in facts.definitions.items():
        yield from _settings(tenant, definition, group)


def _down(group: RedisState) -> Finding:
    return Finding(
        code="redis-not-available" if group.status else "redis-missing",
        severity=Severity.BLOCKER,
        symptom=f"Redis ({group.group}) does not answer",
        cause=f"it is {group.status}" if group.status else "there is no such replication group",
        fix="terraform apply"
        if not group.status
        else f"aws elasticache describe-events --source-type replication-group --source-identifier {group.group}",
        evidence=(f"Status {group.status or 'ReplicationGroupNotFoundFault'}",),
        explains=_DEATHS,
    )


def _no_token(group: RedisState) -> Finding:
    return Finding(
        code="redis-token-not-set",
        severity=Severity.BLOCKER,
        symptom=f"Redis ({group.group}) has no password, the tasks send one",
        cause="the group was made with TLS only; its token was never set from its secret",
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
            cause=f"{group.group} asks for its token, and REDIS_PASSWORD is in no container's secrets",
            fix=f"{entry} in the task definition's secrets; terraform apply",
            evidence=(f"secrets: {', '.join(sorted(secret)) or 'none'}", flags[1]),
            explains=_DEATHS,
        )
    host = said.get("REDIS_HOST", "")
    if group.host and "REDIS_HOST" not in secret and host.lower() != group.host.lower():
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
            cause=f"REDIS_SSL_CERT_REQS is {wanted}, and REDIS_SSL_CA_CERTS names no authority",
            fix='{ name = "REDIS_SSL_CERT_REQS", value = "none" } in the task definition\'s environment (or '
            "REDIS_SSL_CA_CERTS = the path of Amazon's root certificates in the image); terraform apply",
            evidence=(f"REDIS_SSL_CERT_REQS={wanted}", "REDIS_SSL_CA_CERTS is not set"),
            explains=_DEATHS,
        )


CHECK: Check[Scene, RedisCheckFacts] = Check(
    id="redis",
    title="Redis is up, and tasks and Redis agree on TLS and password",
    gather=gather,
    judge=judge,
    guide_section="Redis/Cache Issues",
)
