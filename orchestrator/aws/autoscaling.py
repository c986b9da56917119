"""Application Auto Scaling of ECS services: its limits, and whether it is suspended.

A service at 0 stays there only until a policy fires: a scale-out raises it to the minimum first (ECS developer guide,
"Service auto scaling"). Suspended, it leaves the service alone, and its limits stay what Terraform made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.clusters import place
from orchestrator.aws.pages import items
from orchestrator.aws.session import translated

DIMENSION = "ecs:service:DesiredCount"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Which activities are suspended."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False

    def __str__(self) -> str:
        words = (("in", self.scale_in), ("out", self.scale_out), ("scheduled", self.scheduled))
        return "/".join(word for word, is_so in words if is_so) or "none"

    @classmethod
    def parse(cls, text: str) -> Suspension:
        """What `str` made; unknown words are nothing."""
        words = text.split("/")
        return cls("in" in words, "out" in words, "scheduled" in words)


ALL = Suspension(scale_in=True, scale_out=True, scheduled=True)


@dataclass(frozen=True, slots=True)
class Scaling:
    """A service's scalable target."""

    minimum: int
    maximum: int
    suspended: Suspension = Suspension()


class Autoscaling:
    """A stack's services through a boto3 `application-autoscaling` client; `cluster` is that of those that say none."""

    def __init__(self, client: Any, cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def targets(self, services: Sequence[str]) -> Mapping[str, Scaling]:
        """Of those services that scale by themselves."""
        called = {self._id(name): name for name in services}
        wanted: dict[str, Any] = {
            "ServiceNamespace": "ecs",
            "ResourceIds": list(called),
            "ScalableDimension": DIMENSION,
        }
        with translated("application-autoscaling:DescribeScalableTargets"):
            found = list(items(self._client, "describe_scalable_targets", "ScalableTargets", **wanted))
        return {called[one["ResourceId"]]: _scaling(one) for one in found if one["ResourceId"] in called}

    def suspend(self, service: str, suspended: Suspension) -> None:
        """Suspend these activities and no others; limits stay as they are."""
        with translated("application-autoscaling:RegisterScalableTarget"):
            self._client.register_scalable_target(
                ServiceNamespace="ecs",
                ResourceId=self._id(service),
                ScalableDimension=DIMENSION,
                SuspendedState={
                    "DynamicScalingInSuspended": suspended.scale_in,
                    "DynamicScalingOutSuspended": suspended.scale_out,
                    "ScheduledScalingSuspended": suspended.scheduled,
                },
            )

    def _id(self, service: str) -> str:
        cluster, name = place(service, self._cluster)
        return f"service/{cluster}/{name}"


def _scaling(raw: Mapping[str, Any]) -> Scaling:
    said = raw.get("SuspendedState") or {}
    suspended = Suspension(
        bool(said.get("DynamicScalingInSuspended")),
        bool(said.get("DynamicScalingOutSuspended")),
        bool(said.get("ScheduledScalingSuspended")),
    )
    return Scaling(raw["MinCapacity"], raw["MaxCapacity"], suspended)
