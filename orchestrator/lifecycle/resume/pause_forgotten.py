"""`pause-forgotten`: once services are up, autoscaling acts as before, and the pause's tags are gone.

Autoscaling first: a run that is interrupted between the two still finds in the tag how it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.autoscaling import ALL, Scaling, Suspension
from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.engine.step import STACK, Done, Step, Subject, Todo, Verdict, Verdicts
from orchestrator.engine.subjects import each
from orchestrator.lifecycle import services
from orchestrator.lifecycle.pause_tags import TAG, PausedService


class PauseForgottenContext(services.LifecycleServicesContext, Protocol):
    """What the step needs."""

    @property
    def rds(self) -> DbServers:
        """RDS."""
        ...


@dataclass(frozen=True, slots=True)
class PauseForgottenFacts(services.ServiceScales):
    """The services, and the DB instance. `foreign_server`: why that isn't the stack's own; empty: it is."""

    server: ServerState
    foreign_server: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseAutoscaling:
    """Suspend only what was suspended before."""

    service: str
    suspended: Suspension


@dataclass(frozen=True, slots=True)
class RemoveTag:
    """Take the tag away; `database`: from the DB instance."""

    arn: str
    database: bool = False


def observe(context: PauseForgottenContext) -> PauseForgottenFacts:
    """Three calls for ten tenants."""
    seen = services.look(context)
    stack = context.stack
    server = context.rds.server(stack.database.server)
    # A tag is only there after a pause: until then nothing is asked of whose it is.
    tagged = TAG in server.tags
    why = stack.ownership.objection(*stack.database.part, stack.stack, server.tags) if tagged else ""
    return PauseForgottenFacts(seen.names, seen.counts, seen.scalings, server, why, foreign=seen.foreign)


def decide(facts: PauseForgottenFacts) -> Verdicts:
    """Per tenant, and for the stack."""
    return {STACK: _of_server(facts.server, facts.foreign_server)} | {
        tenant: _of_service(facts.counts[name], facts.scalings.get(name), facts.foreign.get(name, ""))
        for tenant, name in facts.names.items()
        if name in facts.counts
    }


def _of_server(server: ServerState, foreign: str) -> Verdict:
    if foreign:
        return Done(f"{server.instance} is left as it is: {foreign}")
    if TAG in server.tags:
        return Todo(f"remove the pause tag from {server.instance}", RemoveTag(server.arn, database=True))
    return Done(f"{server.instance} has no pause tag")


def _of_service(count: Count, scaling: Scaling | None, foreign: str) -> Verdict:
    if foreign:
        return Done(f"{count.name} is left as it is: {foreign}")
    tag = count.tags.get(TAG, "")
    if not tag:
        limits = f", autoscaling {scaling.minimum}-{scaling.maximum}" if scaling else ""
        return Done(f"{count.name} wants {count.desired}{limits}")
    known = PausedService.parse(tag)
    before = known.scaling.suspended if known and known.scaling else None
    if scaling is not None and before is not None and scaling.suspended == ALL and before != ALL:
        return Todo(f"resume the autoscaling of {count.name}", ReleaseAutoscaling(count.name, before))
    return Todo(f"remove the pause tag from {count.name}", RemoveTag(count.arn))


def apply(context: PauseForgottenContext, todos: Mapping[Subject, Todo]) -> None:
    """One call each."""

    def change(subject: Subject) -> None:
        match todos[subject].payload:
            case ReleaseAutoscaling(service, suspended):
                context.autoscaling.suspend(service, suspended)
            case RemoveTag(arn, database=True):
                context.rds.untag(arn, TAG)
            case RemoveTag(arn):
                context.counts.untag(arn, TAG)

    each(todos, change)


STEP: Step[PauseForgottenContext, PauseForgottenFacts] = Step(
    id="pause-forgotten",
    title="autoscaling is active again, and the pause tags are gone",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services",),
    timeout=300,
    poll=5,
)
