"""ECS tasks that are run once, beside a service and in its network: what they are, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.aws.batches import answers
from orchestrator.aws.clusters import place
from orchestrator.aws.ecs import Task, task_of
from orchestrator.aws.pages import items
from orchestrator.aws.session import translated
from orchestrator.errors import OrchestratorError, Problem

_NETWORK = ("networkConfiguration", "launchType", "capacityProviderStrategy", "platformVersion")
"""What of a service a task takes over."""


class OneOffTasks:
    """Through a boto3 `ecs` client; `cluster` is that of services that say none. `mark` is what tells ours from others.

    A mark is up to 128 letters, digits, hyphens and slashes (ECS API Reference, RunTask, startedBy).
    """

    def __init__(self, client: Any, cluster: str, mark: str) -> None:
        self._client = client
        self._cluster = cluster
        self._mark = mark

    def alive(self, service: str, family: str) -> tuple[Task, ...]:
        """Ours of this family that have not been stopped, in the service's cluster: another run may have begun them."""
        cluster, _ = place(service, self._cluster)
        with translated("ecs:ListTasks"):
            arns = list(items(self._client, "list_tasks", "taskArns", cluster=cluster, family=family))
        return tuple(one for one in self._described(cluster, arns) if one.deployment == self._mark)

    def look(self, service: str, arn: str) -> Task | None:
        """One of them; None: ECS does not show it (yet, or any more)."""
        return next(iter(self._described(place(service, self._cluster)[0], [arn])), None)

    def _described(self, cluster: str, arns: Sequence[str]) -> list[Task]:
        with translated("ecs:DescribeTasks"):
            said = list(answers(self._client, "describe_tasks", cluster=cluster, tasks=arns)) if arns else []
        return [task_of(raw) for some in said for raw in some["tasks"]]

    def run(self, service: str, definition: str, commands: Mapping[str, Sequence[str]]) -> str:
        """Start one in the service's network, with other commands in these containers; give its ARN.

        botocore gives the call a client token: sent again, it starts no second one. Raises `task-not-run` with ECS's
        reason.
        """
        cluster, name = place(service, self._cluster)
        with translated("ecs:DescribeServices"):
            (said,) = answers(self._client, "describe_services", cluster=cluster, services=[name])
        (raw,) = said["services"]
        given = {key: raw[key] for key in _NETWORK if raw.get(key)}
        overrides = [{"name": container, "command": list(command)} for container, command in commands.items()]
        with translated("ecs:RunTask"):
            answer = self._client.run_task(
                cluster=cluster,
                taskDefinition=definition,
                count=1,
                startedBy=self._mark,
                overrides={"containerOverrides": overrides},
                **given,
            )
        if not answer["tasks"]:
            why = "; ".join(one.get("reason", "") for one in answer.get("failures", ())) or "it gives no reason"
            fix = "see what ECS says of the service's own tasks (`orchestrate doctor`), then run it again"
            raise OrchestratorError(Problem("task-not-run", f"ECS did not start the task: {why}", service, fix))
        return str(answer["tasks"][0]["taskArn"])
