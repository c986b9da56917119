"""How many tasks ECS services have and want, and their tags: what pausing and resuming change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.aws.clusters import by_cluster, name_of, place
from orchestrator.aws.described import described
from orchestrator.aws.session import translated
from orchestrator.engine.looks import Recent


@dataclass(frozen=True, slots=True)
class Count:
    """One service's tasks. `present` are those that run or are about to; `name` is as in `Service`."""

    name: str
    arn: str
    desired: int
    present: int = 0
    task_definition: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""

    @property
    def taggable_arn(self) -> str:
        """Its ARN with the cluster's name. ECS tags by no other, and a service from before 2021 may still have another.

        (Amazon ECS, "Migrate an Amazon ECS short service ARN to a long ARN".)
        """
        start, kind, rest = self.arn.partition(":service/")
        return self.arn if "/" in rest or not kind else f"{start}{kind}{self.cluster}/{rest}"


class ServiceCounts:
    """A stack's services through a boto3 `ecs` client; those that say no cluster are in `cluster`."""

    def __init__(self, client: Any, cluster: str, recent: Recent | None = None) -> None:
        """`recent`: what is shared with those who ask the same of ECS."""
        self._client = client
        self._cluster = cluster
        self._recent = recent or Recent()

    def read(self, names: Sequence[str]) -> Mapping[str, Count]:
        """Those that exist among `names`."""
        found: dict[str, Count] = {}
        for cluster, called in by_cluster(names, self._cluster).items():
            with translated("ecs:DescribeServices"):
                shown = described(self._client, cluster, list(called), self._recent)
            found |= {name_of(raw, called): _count(raw, name_of(raw, called)) for raw in shown}
        return found

    def scale(self, name: str, desired: int) -> None:
        """Want so many tasks; starts no deployment."""
        cluster, service = place(name, self._cluster)
        with translated("ecs:UpdateService"):
            self._client.update_service(cluster=cluster, service=service, desiredCount=desired)

    def tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag of a service."""
        with translated("ecs:TagResource"):
            self._client.tag_resource(resourceArn=arn, tags=[{"key": key, "value": value}])

    def untag(self, arn: str, key: str) -> None:
        """Take one tag away."""
        with translated("ecs:UntagResource"):
            self._client.untag_resource(resourceArn=arn, tagKeys=[key])


def _count(raw: Mapping[str, Any], called: str) -> Count:
    return Count(
        called,
        raw["serviceArn"],
        raw["desiredCount"],
        raw["runningCount"] + raw["pendingCount"],
        raw["taskDefinition"],
        {one["key"]: one.get("value", "") for one in raw.get("tags", ())},
        str(raw.get("clusterArn", "")).rpartition("/")[2],
    )
