"""What a migration by a task of its own needs."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.policy import grants as on
from orchestrator.policy.grants import Condition, Grant, PolicyScope


def task_definitions(scope: PolicyScope) -> Sequence[str]:
    """Those of the account: a contract doesn't name its services' families."""
    return (scope.arn("ecs", "task-definition/*"),)


def roles(scope: PolicyScope) -> Sequence[str]:
    """Those of the account: a contract doesn't name its tasks' roles."""
    return (f"arn:{scope.partition}:iam::{scope.stack.account_id}:role/*",)


def for_tasks(_scope: PolicyScope) -> Condition:
    """A role is given to ECS's tasks alone."""
    return {"StringEquals": {"iam:PassedToService": ("ecs-tasks.amazonaws.com",)}}


MIGRATED: Sequence[Grant] = (
    Grant(("ecs:RunTask",), task_definitions, on.in_cluster),
    Grant(("iam:PassRole",), roles, for_tasks),
)
"""A task of the tenant's own definition, which ECS gives the definition's roles."""
