"""What ECS reads before a task starts: every secret with the key asked for, by a role that may.

Secret values are read to see their keys; they go no further. The role is asked about at IAM's simulator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.iam import Permissions
from orchestrator.aws.secrets import Shape
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.scene import Scene, arn_of, key_of

_DEATHS = frozenset({"task-secret-unreadable", "task-task-resources-failed"})
READ = "secretsmanager:GetSecretValue"


@dataclass(frozen=True, slots=True)
class Facts:
    """By tenant the task definition and what its execution role may do; the secrets' shapes by ARN."""

    definitions: Mapping[str, TaskDefinition]
    shapes: Mapping[str, Shape]
    permissions: Mapping[str, Permissions]


def gather(scene: Scene) -> Facts:
    """All secrets in one call; one simulation a role, for all of its secrets."""
    definitions = scene.definitions()
    asked: dict[str, set[str]] = {}
    for one in definitions.values():
        asked.setdefault(one.execution_role, set()).update(arn_of(value) for _, _, value in one.secrets())
    seen = {role: scene.simulate(role, [READ], sorted(arns)) for role, arns in asked.items() if role and arns}
    permissions = {
        tenant: seen[one.execution_role] for tenant, one in definitions.items() if one.execution_role in seen
    }
    return Facts(definitions, scene.secret_shapes(), permissions)


def judge(facts: Facts) -> Iterable[Finding]:
    """Per tenant and secret, each once."""
    for tenant, definition in facts.definitions.items():
        wanted = {value: (container, name) for container, name, value in definition.secrets()}
        yield from _gone(tenant, wanted, facts.shapes)
        yield from _denied(tenant, definition, {arn_of(value) for value in wanted}, facts.permissions.get(tenant))


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
                symptom="tasks can't start: a secret of theirs is not there",
                cause=f"{_short(arn)} was deleted or has no value",
                fix=f"aws secretsmanager restore-secret --secret-id {arn} (deleted), or terraform apply",
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
            symptom="tasks can't start: nobody may read their secrets for them",
            cause=f"there is no role {role}" if role else "the task definition names no execution role",
            fix="execution_role_arn = aws_iam_role.execution.arn in aws_ecs_task_definition; terraform apply",
            evidence=(f"executionRoleArn={definition.execution_role or '(none)'}",),
            explains=_DEATHS | {"task-image-pull-failed"},
        )
    elif denied:
        yield Finding(
            code="execution-role-denied",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="tasks can't start: their execution role may not read their secrets",
            cause=f"no policy of {role} allows {READ} on them",
            fix=f'aws_iam_role_policy on {role}: Action = "{READ}", Resource = ["{denied[0].resource}", …]',
            evidence=tuple(f"{one.action} on {one.resource}: {one.decision}" for one in denied[:4]),
            explains=_DEATHS,
        )


def _short(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]


CHECK: Check[Scene, Facts] = Check(
    id="secrets",
    title="Every secret of the tasks is there, and ECS may read it",
    gather=gather,
    judge=judge,
    guide_section="Prevention Checklist",
)
