"""What pausing and resuming see of a stack's services and change in them: one look, one set of clients, for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.autoscaling import Scaling, Suspension
from orchestrator.aws.service_counts import Count
from orchestrator.contract import Stack
from orchestrator.engine.step import Subject


class Counts(Protocol):
    """Services' tasks and tags."""

    def read(self, names: Sequence[str]) -> Mapping[str, Count]:
        """Those that exist."""
        ...

    def scale(self, name: str, desired: int) -> None:
        """Want so many tasks."""
        ...

    def tag(self, arn: str, key: str, value: str) -> None:
        """Set a tag."""
        ...

    def untag(self, arn: str, key: str) -> None:
        """Take a tag away."""
        ...


class Autoscaling(Protocol):
    """Services' scalable targets."""

    def targets(self, services: Sequence[str]) -> Mapping[str, Scaling]:
        """Of those that have one."""
        ...

    def suspend(self, service: str, suspended: Suspension) -> None:
        """Suspend these activities and no others."""
        ...


class Context(Protocol):
    """What the steps about services need."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def counts(self) -> Counts:
        """ECS."""
        ...

    @property
    def autoscaling(self) -> Autoscaling:
        """Application Auto Scaling."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Per tenant its service's name; services and scalable targets by that name."""

    names: Mapping[Subject, str]
    counts: Mapping[str, Count]
    scalings: Mapping[str, Scaling]


def look(context: Context) -> Services:
    """Two calls for ten tenants."""
    names = {tenant: it.service for tenant, it in context.stack.tenants.items()}
    services = list(names.values())
    return Services(names, context.counts.read(services), context.autoscaling.targets(services))
