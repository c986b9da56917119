"""`pause-forgotten`: once services are up, autoscaling acts as before, and the pause's tags are gone.

Autoscaling first: a run that is interrupted between the two still finds in the tag how it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.autoscaling import ALL, Scaling, Suspension
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.contract import Stack
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdict, Verdicts
from orchestrator.pauses import TAG, Memory


class Counts(Protocol):
    """Services' tags."""

    def read(self, names: Sequence[str]) -> Mapping[str, Count]:
        """Those that exist."""
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


class Servers(Protocol):
    """DB instances."""

    def server(self, instance: str) -> ServerState:
        """The instance's state now."""
        ...

    def untag(self, arn: str, key: str) -> None:
        """Take a tag away."""
        ...


class Context(Protocol):
    """What the step needs."""

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

    @property
    def rds(self) -> Servers:
        """RDS."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """Per tenant its service's name; services and scalable targets by that name; the DB instance."""

    names: Mapping[Subject, str]
    counts: Mapping[str, Count]
    scalings: Mapping[str, Scaling]
    server: ServerState


@dataclass(frozen=True, slots=True)
class Wake:
    """Suspend only what was suspended before."""

    service: str
    suspended: Suspension


@dataclass(frozen=True, slots=True)
class Forget:
    """Take the tag away; `database`: from the DB instance."""

    arn: str
    database: bool = False


def observe(context: Context) -> Facts:
    """Three calls for ten tenants."""
    names = {tenant: it.service for tenant, it in context.stack.tenants.items()}
    services = list(names.values())
    server = context.rds.server(context.stack.database.instance)
    return Facts(names, context.counts.read(services), context.autoscaling.targets(services), server)


def decide(facts: Facts) -> Verdicts:
    """Per tenant, and for the stack."""
    return {STACK: _of_server(facts.server)} | {
        tenant: _of_service(facts.counts[name], facts.scalings.get(name))
        for tenant, name in facts.names.items()
        if name in facts.counts
    }


def _of_server(server: ServerState) -> Verdict:
    if TAG in server.tags:
        return Todo(f"take the pause's tag from {server.instance}", Forget(server.arn, database=True))
    return Done(f"{server.instance} has no tag of a pause")


def _of_service(count: Count, scaling: Scaling | None) -> Verdict:
    tag = count.tags.get(TAG, "")
    if not tag:
        limits = f", autoscaling {scaling.minimum}-{scaling.maximum}" if scaling else ""
        return Done(f"{count.name} wants {count.desired}{limits}")
    known = Memory.parse(tag)
    before = known.scaling.suspended if known and known.scaling else None
    if scaling is not None and before is not None and scaling.suspended == ALL and before != ALL:
        return Todo(f"let {count.name} scale by itself again", Wake(count.name, before))
    return Todo(f"take the pause's tag from {count.name}", Forget(count.arn))


def apply(context: Context, todos: Mapping[Subject, Todo]) -> None:
    """One call each."""
    for todo in todos.values():
        match todo.payload:
            case Wake(service, suspended):
                context.autoscaling.suspend(service, suspended)
            case Forget(arn, database=True):
                context.rds.untag(arn, TAG)
            case Forget(arn):
                context.counts.untag(arn, TAG)


STEP: Step[Context, Facts] = Step(
    id="pause-forgotten",
    title="autoscaling acts again, and the pause's tags are gone",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services",),
    timeout=300,
    poll=5,
)
