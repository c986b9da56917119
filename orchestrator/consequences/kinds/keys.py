"""Secrets and encryption keys: a new password has to reach who uses it; without its key, data can't be read."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.errors import counted
from orchestrator.stack.blueprint.changes import ResourceChange

_VALUES = ("secret_string_wo_version", "secret_string", "secret_binary")


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Of a secret that is new and of one that leaves with its tenant nothing is said."""
    for change in scene.of("aws_kms_key"):
        if change.ends:
            yield _key(change)
    for change in scene.of("aws_secretsmanager_secret", "aws_ssm_parameter"):
        if change.ends and not scene.leaves(scene.owner(change)):
            yield _secret(change, scene)
    for change in scene.of("aws_secretsmanager_secret_version"):
        again = change.replaced or (change.updated and any(change.differs(name) for name in _VALUES))
        if again and not scene.ends(change.before.get("secret_id")):
            yield _drawn_anew(change, scene.owner(change))


def _key(change: ResourceChange) -> Consequence:
    thing = change.was("arn") or change.name
    return Consequence(
        code="encryption-key-lost",
        effect=Effect.LOSS,
        name=f"key:{change.was('key_id') or change.name}",
        says="what is encrypted with a KMS key (database, volumes, secrets, snapshots) can no longer be read",
        why=f"Terraform schedules {thing} for deletion: {change.why}",
        then="`aws kms cancel-key-deletion` within its waiting period (7 to 30 days)",
        address=change.address,
    )


def _secret(change: ResourceChange, scene: PlanReading) -> Consequence:
    name = change.was("name") or change.name
    days = change.before.get("recovery_window_in_days")
    return Consequence(
        code="secret-replaced" if change.replaced else "secret-destroyed",
        effect=Effect.DISTURBANCE,
        name=f"secret:{name}",
        says=f"the secret {name} is deleted: tasks that name it can't start",
        why=f"Terraform {change.verb} it: {change.why}",
        then=f"it can be restored for {counted(days, 'day')}" if days else "it can't be restored",
        address=change.address,
        subject=scene.owner(change),
    )


def _drawn_anew(change: ResourceChange, tenant: str) -> Consequence:
    return Consequence(
        code="password-changed",
        effect=Effect.DISTURBANCE,
        name=f"password:{change.index if change.index is not None else change.name}",
        says="a password changes: running tasks keep the old one, and lose their connections",
        why=f"Terraform writes a new version of {change.address}",
        then="orchestrate apply sets it where it is used (tenant-databases, redis-auth) and restarts what needs it",
        address=change.address,
        subject=tenant,
    )


KIND = Kind("Secrets and keys", judge)
