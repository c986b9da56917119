"""The log groups of the task definitions: without one, or without permission to write to it, a task never starts.

The execution role is checked with IAM's policy simulator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.aws.iam import Denied, Permissions
from orchestrator.aws.partitions import partition_in
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")

_MISSING = ("log-group-missing", "task-resources-failed", "container-exited")
_DENIED = ("log-group-denied", "task-resources-failed", "image-pull-denied", "image-pull-failed")
"""How tasks end without their log group, and those whose execution role lacks its own policy."""


@dataclass(frozen=True, slots=True)
class LogGroupsCheckFacts:
    """By tenant the groups its containers write to; by group whether it is there; by tenant what its role may not."""

    wanted: Mapping[str, tuple[str, ...]]
    there: Mapping[str, bool]
    roles: Mapping[str, str] = field(default_factory=dict)
    permissions: Mapping[str, Permissions] = field(default_factory=dict)


def gather(scene: Scene) -> LogGroupsCheckFacts:
    """One call a group, one simulation a role."""
    wanted = {
        tenant: tuple(sorted({one.log_group for one in definition.containers if one.log_group}))
        for tenant, definition in scene.definitions().items()
    }
    roles = {tenant: definition.execution_role for tenant, definition in scene.definitions().items()}
    asked: dict[str, list[str]] = {}
    for tenant, role in roles.items():
        asked.setdefault(role, []).extend(wanted[tenant])
    partition = partition_in(scene.stack.load_balancer.arn)
    where = f"arn:{partition}:logs:{scene.stack.region}:{scene.stack.account_id}:log-group"
    resources = {role: [f"{where}:{one}:log-stream:api/1" for one in sorted(set(asked[role]))] for role in asked}
    seen = {role: scene.simulate(role, WRITE, resources[role]) for role in asked if role and resources[role]}
    permissions = {tenant: seen[role] for tenant, role in roles.items() if role in seen}
    return LogGroupsCheckFacts(wanted, scene.log_groups(), roles, permissions)


def judge(facts: LogGroupsCheckFacts) -> Iterable[Finding]:
    """Per tenant and group."""
    for tenant, groups in facts.wanted.items():
        denied = facts.permissions.get(tenant, Permissions()).denied
        if denied:
            yield _denied(tenant, facts.roles[tenant], denied)
        for group in groups:
            if not facts.there.get(group, True):
                yield Finding(
                    code="log-group-missing",
                    severity=Severity.BLOCKER,
                    subject=tenant,
                    symptom="tasks can't start: there is nowhere to write their log",
                    cause=f"the log group {group} does not exist, and the task definition does not create it",
                    fix=f"aws logs create-log-group --log-group-name {group} (or terraform apply)",
                    evidence=(f"awslogs-group {group}: ResourceNotFoundException",),
                    explains=frozenset(
                        {"task-log-group-missing", "task-task-resources-failed", "task-container-exited"}
                    ),
                )


def _denied(tenant: str, role: str, denied: Sequence[Denied]) -> Finding:
    name = role.rsplit("/", 1)[-1]
    managed = f"arn:{partition_in(denied[0].resource)}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    return Finding(
        code="log-group-denied",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom="tasks can't start: their execution role may not write their log",
        cause=f"no policy of {name} allows {', '.join(sorted({one.action for one in denied}))}",
        fix=f"aws iam attach-role-policy --role-name {name} --policy-arn {managed} "
        "(aws_iam_role_policy_attachment in Terraform)",
        evidence=tuple(f"{one.action} on {one.resource}: {one.decision}" for one in denied[:4]),
        explains=frozenset({f"task-{one}" for one in _DENIED}),
    )


CHECK: Check[Scene, LogGroupsCheckFacts] = Check(
    id="log-groups",
    title="Every log group of the tasks exists",
    gather=gather,
    judge=judge,
    guide_section="ECS Task Troubleshooting",
)
