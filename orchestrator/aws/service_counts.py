"""How many tasks ECS services have and want, and their tags: what pausing and resuming change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.aws.batches import answers
from orchestrator.aws.session import translated


@dataclass(frozen=True, slots=True)
class Count:
    """One service's tasks. `present` are those that run or are about to."""

    name: str
    arn: str
    desired: int
    present: int = 0
    task_definition: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class ServiceCounts:
    """The services of one cluster through a boto3 `ecs` client."""

    def __init__(self, client: Any, cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def read(self, names: Sequence[str]) -> Mapping[str, Count]:
        """Those that exist among `names`."""
        wanted = {"cluster": self._cluster, "services": list(names), "include": ["TAGS"]}
        with translated("ecs:DescribeServices"):
            said = list(answers(self._client, "describe_services", **wanted))
        raws = [raw for some in said for raw in some["services"]]
        return {raw["serviceName"]: _count(raw) for raw in raws if raw["status"] != "INACTIVE"}

    def scale(self, name: str, desired: int) -> None:
        """Want so many tasks; starts no deployment."""
        with translated("ecs:UpdateService"):
            self._client.update_service(cluster=self._cluster, service=name, desiredCount=desired)

    def tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag of a service."""
        with translated("ecs:TagResource"):
            self._client.tag_resource(resourceArn=arn, tags=[{"key": key, "value": value}])

    def untag(self, arn: str, key: str) -> None:
        """Take one tag away."""
        with translated("ecs:UntagResource"):
            self._client.untag_resource(resourceArn=arn, tagKeys=[key])


def _count(raw: Mapping[str, Any]) -> Count:
    return Count(
        raw["serviceName"],
        raw["serviceArn"],
        raw["desiredCount"],
        raw["runningCount"] + raw["pendingCount"],
        raw["taskDefinition"],
        {one["key"]: one.get("value", "") for one in raw.get("tags", ())},
    )
