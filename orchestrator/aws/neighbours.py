"""Who else uses a host, a bucket or an instance: the ECS services and tasks of the account and region that name it.

A name in the text of a task definition is found: in variables, commands and URLs. A name that only a secret's value
holds is not, and neither is anything that runs outside ECS.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.aws.batches import answers
from orchestrator.aws.pages import items
from orchestrator.aws.session import translated


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A service that has or wants tasks, or a task that no service started. `says` is its task definition's text."""

    cluster: str
    name: str
    is_task: bool = False
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    says: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{'task' if self.is_task else 'service'} {self.name} in cluster {self.cluster}"

    def uses(self, names: Collection[str]) -> bool:
        """Whether it names one of these, as a whole word: `10.0.0.1` is not in `10.0.0.12`."""
        words = "|".join(re.escape(name) for name in names if name)
        return (
            bool(words)
            and re.search(rf"(?<![A-Za-z0-9.-])(?:{words})(?![A-Za-z0-9-]|\.[A-Za-z0-9])", self.says) is not None
        )


class Neighbours:
    """Through a boto3 `ecs` client. Every cluster is looked at, once; `skip` are services (`CLUSTER/NAME`) of ours."""

    def __init__(self, ecs: Any) -> None:
        self._ecs = ecs
        self._lock = threading.Lock()
        self._seen: tuple[Neighbour, ...] | None = None
        self._texts: dict[str, str] = {}

    def all(self, skip: Collection[str]) -> tuple[Neighbour, ...]:
        """Everybody else that is awake. A few calls a cluster, one for ten services, one for each task definition."""
        with self._lock:
            if self._seen is None:
                self._seen = tuple(one for cluster in self._clusters() for one in self._of(cluster, skip))
            return self._seen

    def forget(self) -> None:
        """Look again when asked again."""
        with self._lock:
            self._seen = None

    def _clusters(self) -> Sequence[str]:
        with translated("ecs:ListClusters"):
            return [_last(arn) for arn in items(self._ecs, "list_clusters", "clusterArns")]

    def _of(self, cluster: str, skip: Collection[str]) -> Iterator[Neighbour]:
        with translated("ecs:ListServices"):
            names = [_last(arn) for arn in items(self._ecs, "list_services", "serviceArns", cluster=cluster)]
        yield from self._services(cluster, [name for name in names if f"{cluster}/{name}" not in skip])
        yield from self._tasks(cluster)

    def _services(self, cluster: str, names: list[str]) -> Iterator[Neighbour]:
        wanted = {"cluster": cluster, "services": names, "include": ["TAGS"]}
        with translated("ecs:DescribeServices"):
            found = [raw for some in answers(self._ecs, "describe_services", **wanted) for raw in some["services"]]
        for raw in found:
            if raw["status"] != "INACTIVE" and (raw["desiredCount"] or raw["runningCount"] or raw["pendingCount"]):
                says = self._text(raw.get("taskDefinition", ""))
                yield Neighbour(cluster, raw["serviceName"], tags=_tags(raw), says=says)

    def _tasks(self, cluster: str) -> Iterator[Neighbour]:
        """Those of services come with their services."""
        with translated("ecs:ListTasks"):
            arns = list(items(self._ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="RUNNING"))
        wanted = {"cluster": cluster, "tasks": arns, "include": ["TAGS"]}
        with translated("ecs:DescribeTasks"):
            found = [raw for some in answers(self._ecs, "describe_tasks", **wanted) for raw in some["tasks"]]
        for raw in found:
            if not str(raw.get("group", "")).startswith("service:"):
                says = self._text(raw["taskDefinitionArn"]) + json.dumps(raw.get("overrides", {}))
                yield Neighbour(cluster, _last(raw["taskArn"]), is_task=True, tags=_tags(raw), says=says)

    def _text(self, definition: str) -> str:
        if not definition:  # a service of another deployment controller may have none of its own
            return ""
        if definition not in self._texts:
            with translated("ecs:DescribeTaskDefinition"):
                found = self._ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
            self._texts[definition] = json.dumps(found.get("containerDefinitions", ()))
        return self._texts[definition]


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _tags(raw: Mapping[str, Any]) -> Mapping[str, str]:
    return {one["key"]: one.get("value", "") for one in raw.get("tags", ())}
