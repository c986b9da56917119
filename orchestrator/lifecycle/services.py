"""What pausing and resuming see of a stack's services and change in them: one look, one set of clients, for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.aws.autoscaling import Autoscaling, Scaling
from orchestrator.aws.clusters import whole
from orchestrator.aws.service_counts import Count, ServiceCounts
from orchestrator.engine.step import Blocked, Subject
from orchestrator.lifecycle.instance_owners import not_ours
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import PartKind


class LifecycleServicesContext(Protocol):
    """What the steps about services need."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def counts(self) -> ServiceCounts:
        """ECS."""
        ...

    @property
    def autoscaling(self) -> Autoscaling:
        """Application Auto Scaling."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceScales:
    """By subject the service's name; services and scalable targets by that name.

    `foreign`: services that aren't the stack's own, and why.
    """

    names: Mapping[Subject, str]
    counts: Mapping[str, Count]
    scalings: Mapping[str, Scaling]
    foreign: Mapping[str, str] = field(default_factory=dict, kw_only=True)


def look(context: LifecycleServicesContext) -> ServiceScales:
    """Two calls for ten tenants."""
    names = {name: one.name for name, one in context.stack.services.items()}
    services = list(names.values())
    counts = context.counts.read(services)
    return ServiceScales(
        names, counts, context.autoscaling.targets(services), foreign=foreign_among(context.stack, counts)
    )


def foreign_among(stack: Stack, counts: Mapping[str, Count]) -> Mapping[str, str]:
    """Those of the services that aren't the stack's own, and why. Pure."""
    why = {
        name: stack.ownership.objection(PartKind.SERVICE, whole(name, stack.cluster), stack.stack, count.tags)
        for name, count in counts.items()
    }
    return {name: text for name, text in why.items() if text}


def left_alone(name: str, why: str) -> Blocked:
    """A service that would have to be changed isn't the stack's own."""
    return Blocked(not_ours(PartKind.SERVICE, name, why), refused=True)
