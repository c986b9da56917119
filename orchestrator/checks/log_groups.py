"""Log groups that task definitions write to: without one, a task never starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.scene import Scene


@dataclass(frozen=True, slots=True)
class Facts:
    """By tenant the groups its containers write to; by group whether it is there."""

    wanted: Mapping[str, tuple[str, ...]]
    there: Mapping[str, bool]


def gather(scene: Scene) -> Facts:
    """One call a group."""
    wanted = {
        tenant: tuple(sorted({one.log_group for one in definition.containers if one.log_group}))
        for tenant, definition in scene.definitions().items()
    }
    return Facts(wanted, scene.log_groups())


def judge(facts: Facts) -> Iterable[Finding]:
    """Per tenant and group."""
    for tenant, groups in facts.wanted.items():
        for group in groups:
            if not facts.there.get(group, True):
                yield Finding(
                    code="log-group-missing",
                    severity=Severity.BLOCKER,
                    subject=tenant,
                    symptom="tasks can't start: they have nowhere to write their log",
                    cause=f"the log group {group} does not exist, and the task definition does not create it",
                    fix=f"aws logs create-log-group --log-group-name {group} (or terraform apply)",
                    evidence=(f"awslogs-group {group}: ResourceNotFoundException",),
                    explains=frozenset({"task-task-resources-failed", "task-container-exited"}),
                )


CHECK: Check[Scene, Facts] = Check(
    id="log-groups",
    title="Every log group of the tasks is there",
    gather=gather,
    judge=judge,
    guide_section="ECS Task Troubleshooting",
)
