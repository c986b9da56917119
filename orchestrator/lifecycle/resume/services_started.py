"""`services-started`: every service wants the tasks it had before the pause; the step `services` waits for them.

A count that was changed by hand meanwhile counts more than the memory. Nothing is assumed to be one task: a service at
0 that no pause remembers stays at 0, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from orchestrator import index
from orchestrator.aws.autoscaling import Scaling
from orchestrator.aws.clusters import options
from orchestrator.aws.service_counts import Count
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts
from orchestrator.engine.subjects import each
from orchestrator.errors import Problem
from orchestrator.lifecycle import pause_tags, services
from orchestrator.lifecycle.pause_tags import TAG, PausedService
from orchestrator.lifecycle.services import ServiceScales, left_alone, look
from orchestrator.rollout.memory import RunMemory

ServicesStartedFacts = ServiceScales
"""Nothing else is looked at."""


class ServicesStartedContext(services.LifecycleServicesContext, Protocol):
    """What the step needs."""

    @property
    def rollout_memory(self) -> RunMemory:
        """What the run did to services: what it asked for may not show at once."""
        ...


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """Scale to so many."""

    service: str
    desired: int


def at_rest(facts: ServicesStartedFacts) -> frozenset[Subject]:
    """Tenants whose service is at 0 and stays there: it was so before the pause, or no pause knows of it."""
    return frozenset(
        tenant
        for tenant, name in facts.names.items()
        if (count := facts.counts.get(name)) is not None and count.desired == 0 and not _wanted(count, None)
    )


def _wanted(count: Count, scaling: Scaling | None) -> int:
    known = PausedService.parse(count.tags.get(TAG, ""))
    return pause_tags.coming_back(known, scaling) if known else 0


def decide(facts: ServicesStartedFacts) -> Verdicts:
    """Per tenant: scale, or what is left as it is."""
    return {tenant: _verdict(tenant, name, facts) for tenant, name in facts.names.items()}


def _verdict(tenant: Subject, name: str, facts: ServicesStartedFacts) -> Verdict:
    count = facts.counts.get(name)
    if count is None:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {name}", tenant, fix))
    if count.desired:
        return Done(f"{name} wants {count.desired}")
    tag = count.tags.get(TAG, "")
    if not tag:
        return Done(f"{name} is at 0, but not because of a pause: it stays at 0")
    known = PausedService.parse(tag)
    if known is None:
        return Blocked(pause_tags.unreadable(tag, count.arn, tenant))
    wanted = _wanted(count, facts.scalings.get(name))
    if name in facts.foreign:
        return left_alone(name, facts.foreign[name])
    if not wanted:
        return Done(f"{name} stays at 0, as before the pause")
    other = f" (before the pause it had {known.desired})" if wanted != known.desired else ""
    return Todo(f"scale {name} from 0 to {wanted}{other}", ScaleUp(name, wanted))


def apply(context: ServicesStartedContext, todos: Mapping[Subject, Todo]) -> None:
    """One call per service."""

    def start(tenant: Subject) -> None:
        wanted: ScaleUp = todos[tenant].payload
        context.rollout_memory.update_service(tenant, lambda history: replace(history, scaled_to=wanted.desired))
        context.counts.scale(wanted.service, wanted.desired)

    each(todos, start)


def findings(facts: ServicesStartedFacts) -> Iterable[Problem]:
    """Services that nobody will start."""
    for tenant, name in facts.names.items():
        count = facts.counts.get(name)
        if count is not None and count.desired == 0 and not count.tags.get(TAG):
            which = options(name, count.cluster)
            fix = f"aws ecs update-service {which} --desired-count N; `orchestrate history` shows what it had"
            yield Problem("desired-count-unknown", f"{name} is at 0, and no pause recorded its count", tenant, fix)


STEP: Step[ServicesStartedContext, ServicesStartedFacts] = Step(
    id="services-started",
    title="services have the desired counts they had",
    observe=look,
    decide=decide,
    apply=apply,
    needs=("database-server", "runner", *index.STEPS, "tenant-databases", "redis-auth"),
    timeout=300,
    poll=5,
    findings=findings,
)
