"""What ECS reads before a task starts: every secret, with the requested key, by a role that may read it.

Secret values are read to see their keys, and are not kept. The role is checked with IAM's policy simulator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.aws.iam import Permissions
from orchestrator.aws.secrets import Shape
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.aws.value_from import parse, resource
from orchestrator.doctor.scene import Scene, arn_of, key_of
from orchestrator.engine.check import Check, Finding, Severity

_DEATHS = frozenset(
    {"task-secret-unreadable", "task-task-resources-failed", "task-kms-denied", "task-kms-key-unusable"}
)
_KEY_OFF = ("DecryptionFailure", "KMSInvalidStateException", "DisabledException")
"""How AWS begins to say of a secret that its KMS key can't be used."""
READ = "secretsmanager:GetSecretValue"
READ_PARAMETER = "ssm:GetParameters"
"""What ECS asks of the execution role."""


@dataclass(frozen=True, slots=True)
class SecretsCheckFacts:
    """By tenant the task definition and what its execution role may do; the secrets' shapes by what names them.

    `resources` are the whole ARNs by what names them, where that is something else.
    """

    definitions: Mapping[str, TaskDefinition]
    shapes: Mapping[str, Shape]
    permissions: Mapping[str, Permissions]
    resources: Mapping[str, str] = field(default_factory=dict)


def gather(scene: Scene) -> SecretsCheckFacts:
    """All secrets in one call; one simulation a role and store, for all of its secrets."""
    stack, definitions, shapes = scene.stack, scene.definitions(), scene.secret_shapes()
    resources: dict[str, str] = {}
    asked: dict[tuple[str, str], set[str]] = {}
    for one in definitions.values():
        for place in {arn_of(value) for _, _, value in one.secrets()}:
            partition = stack.load_balancer.arn.split(":")[1]
            whole = resource(place, partition=partition, region=stack.region, account=stack.account_id)
            known = shapes.get(place, Shape()).arn
            resources[place] = known or (place if parse(place).is_secret else whole)
            action = READ if parse(place).is_secret else READ_PARAMETER
            asked.setdefault((one.execution_role, action), set()).add(resources[place])
    seen: dict[str, list[Permissions]] = {}
    for (role, action), wanted in sorted(asked.items()):
        if role:
            seen.setdefault(role, []).append(scene.simulate(role, [action], sorted(wanted)))
    roles = {role: _joined(some) for role, some in seen.items()}
    permissions = {
        tenant: roles[one.execution_role] for tenant, one in definitions.items() if one.execution_role in roles
    }
    return SecretsCheckFacts(definitions, shapes, permissions, resources)


def _joined(some: Sequence[Permissions]) -> Permissions:
    return Permissions(tuple(denied for one in some for denied in one.denied), all(one.exists for one in some))


def judge(facts: SecretsCheckFacts) -> Iterable[Finding]:
    """Per tenant and secret, each once."""
    for tenant, definition in facts.definitions.items():
        wanted = {value: (container, name) for container, name, value in definition.secrets()}
        yield from _gone(tenant, wanted, facts.shapes)
        resources = {facts.resources.get(arn_of(value), arn_of(value)) for value in wanted}
        yield from _denied(tenant, definition, resources, facts.permissions.get(tenant))


def _gone(tenant: str, wanted: Mapping[str, tuple[str, str]], shapes: Mapping[str, Shape]) -> Iterable[Finding]:
    reported: set[str] = set()
    for value_from, (container, name) in wanted.items():
        arn, key = arn_of(value_from), key_of(value_from)
        shape = shapes.get(arn, Shape())
        if not shape.exists and arn not in reported:
            reported.add(arn)
            yield Finding(
                code="secret-missing",
                severity=Severity.BLOCKER,
                subject=tenant,
                symptom="tasks can't start: one of their secrets is missing",
                cause=f"{_short(arn)} was deleted or has no value",
                fix=_back(arn),
                evidence=(f"{container}: {name} from {value_from}", shape.trouble),
                explains=_DEATHS,
            )
        elif shape.trouble.startswith(_KEY_OFF) and arn not in reported:
            reported.add(arn)
            yield Finding(
                code="secret-kms-key-unusable",
                severity=Severity.BLOCKER,
                subject=tenant,
                symptom="tasks can't start: one of their secrets can't be decrypted",
                cause=f"the KMS key of {_short(arn)} is disabled, or scheduled for deletion",
                fix=f"`aws secretsmanager describe-secret --secret-id {arn}` names the key (KmsKeyId): "
                "enable it (`aws kms enable-key`; before that, where it is scheduled for deletion: `aws kms "
                "cancel-key-deletion`)",
                evidence=(f"{container}: {name} from {value_from}", shape.trouble),
                explains=_DEATHS,
            )
        elif shape.exists and not shape.trouble and key and key not in (shape.keys or ()):
            keys = ", ".join(sorted(shape.keys)) if shape.keys is not None else "no JSON object"
            yield Finding(
                code="secret-key-missing",
                severity=Severity.BLOCKER,
                subject=tenant,
                symptom=f'tasks can\'t start: their secret has no key "{key}"',
                cause=f"{name} asks for {key} of {_short(arn)}, which holds: {keys}",
                fix=f'store {{"{key}": …}} in {_short(arn)} (aws secretsmanager put-secret-value --secret-id {arn} '
                "--secret-string file://…), or correct valueFrom in the task definition",
                evidence=(f"{container}: {name} from {value_from}", f"keys: {keys}"),
                explains=_DEATHS,
            )


def _denied(tenant: str, definition: TaskDefinition, wanted: set[str], seen: Permissions | None) -> Iterable[Finding]:
    role = definition.execution_role.rsplit("/", 1)[-1]
    denied = [one for one in seen.denied if one.resource in wanted] if seen else []
    if wanted and (seen is None or not seen.exists):
        yield Finding(
            code="execution-role-missing",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="tasks can't start: no role may read their secrets for them",
            cause=f"there is no role {role}" if role else "the task definition names no execution role",
            fix="execution_role_arn = aws_iam_role.execution.arn in aws_ecs_task_definition; terraform apply",
            evidence=(f"executionRoleArn={definition.execution_role or '(none)'}",),
            explains=_DEATHS | {"task-image-pull-failed", "task-image-pull-denied", "task-role-not-assumable"},
        )
    elif denied:
        yield Finding(
            code="execution-role-denied",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="tasks can't start: their execution role may not read their secrets",
            cause=f"no policy of {role} allows {denied[0].action} on them",
            fix=f'aws_iam_role_policy on {role}: Action = "{denied[0].action}", Resource = ["{denied[0].resource}", …]',
            evidence=tuple(f"{one.action} on {one.resource}: {one.decision}" for one in denied[:4]),
            explains=_DEATHS,
        )


def _back(place: str) -> str:
    if not parse(place).is_secret:
        return f"terraform apply (or aws ssm put-parameter --name {place.rpartition(':parameter')[2]} …)"
    return f"aws secretsmanager restore-secret --secret-id {place} (deleted), or terraform apply"


def _short(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]


CHECK: Check[Scene, SecretsCheckFacts] = Check(
    id="secrets",
    title="Every secret of the tasks exists, and ECS may read it",
    gather=gather,
    judge=judge,
    guide_section="Prevention Checklist",
)
