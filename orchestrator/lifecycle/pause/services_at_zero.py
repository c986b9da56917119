"""`services-at-zero`: every service is at 0, stays there, and what it was before is remembered on it.

Remembered first, then autoscaling suspended (it would raise a service at 0 to its minimum), then scaled: whatever
instant this is interrupted at, the next run finds what it needs. What changed meanwhile by hand is remembered anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.autoscaling import ALL
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import each
from orchestrator.errors import Problem, counted
from orchestrator.lifecycle import pause_tags, services
from orchestrator.lifecycle.pause_tags import TAG, PausedService, Stamp


class ServicesAtZeroContext(services.LifecycleServicesContext, Protocol):
    """What the step needs."""

    @property
    def stamp(self) -> Stamp:
        """Since when and by whom, of a pause that begins with this run."""
        ...


@dataclass(frozen=True, slots=True)
class ServicesAtZeroFacts(services.ServiceScales):
    """The services, and the stamp of a pause that begins now."""

    stamp: Stamp


@dataclass(frozen=True, slots=True)
class RememberScale:
    """Set the tag."""

    arn: str
    memory: PausedService


@dataclass(frozen=True, slots=True)
class Suspend:
    """Suspend the whole of a service's autoscaling."""

    service: str


@dataclass(frozen=True, slots=True)
class ScaleToZero:
    """Scale to 0. `desired` is what it is scaled from: if somebody raises it again, this is another change."""

    service: str
    desired: int


def observe(context: ServicesAtZeroContext) -> ServicesAtZeroFacts:
    """Two calls for ten tenants."""
    seen = services.look(context)
    return ServicesAtZeroFacts(seen.names, seen.counts, seen.scalings, context.stamp, foreign=seen.foreign)


def decide(facts: ServicesAtZeroFacts) -> Verdicts:
    """Per tenant: remember, suspend, scale, and wait until the tasks are gone."""
    return {tenant: _verdict(tenant, name, facts) for tenant, name in facts.names.items()}


def _verdict(tenant: Subject, name: str, facts: ServicesAtZeroFacts) -> Verdict:
    count, scaling = facts.counts.get(name), facts.scalings.get(name)
    if count is None:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {name}", tenant, fix))
    if name in facts.foreign:
        if count.desired or count.present:
            return services.left_alone(name, facts.foreign[name])
        return Done(f"{name} is at 0, and left as it is: {facts.foreign[name]}")
    tag = count.tags.get(TAG, "")
    known = PausedService.parse(tag)
    if tag and known is None and count.desired == 0:
        return Blocked(pause_tags.unreadable(tag, count.arn, tenant))
    memory = pause_tags.remembered(known, count.desired, scaling, facts.stamp)
    if memory != known and count.arn != count.taggable_arn:
        return Blocked(pause_tags.untaggable(name, count, tenant)) if count.desired else Done(f"{name} is at 0")
    if memory != known:
        return Todo(f"remember that {name} has {memory.wanted}", RememberScale(count.arn, memory))
    if scaling is not None and scaling.suspended != ALL:
        return Todo(f"suspend the autoscaling of {name}", Suspend(name))
    if count.desired:
        return Todo(f"scale {name} from {count.desired} to 0", ScaleToZero(name, count.desired))
    if count.present:
        fix = "look at the service's events: a task that doesn't stop is killed after its stopTimeout"
        return Wait(f"{name} still has {counted(count.present, 'task')}", "tasks-still-running", fix)
    return Done(
        f"{name} has been at 0 since {memory.stamp.since} (by {memory.stamp.by}); it comes back with {memory.wanted}"
    )


def announce(facts: ServicesAtZeroFacts) -> Verdicts:
    """As `decide`, but the whole of what will be done to a service instead of what comes first."""
    return {tenant: _whole(facts.names[tenant], seen, facts) for tenant, seen in decide(facts).items()}


def _whole(name: str, verdict: Verdict, facts: ServicesAtZeroFacts) -> Verdict:
    if not isinstance(verdict, Todo) or not facts.counts[name].desired:
        return verdict
    count, scaling = facts.counts[name], facts.scalings.get(name)
    suspending = ", suspend its autoscaling" if scaling is not None and scaling.suspended != ALL else ""
    memory = pause_tags.remembered(PausedService.parse(count.tags.get(TAG, "")), count.desired, scaling, facts.stamp)
    return Todo(f"scale {name} from {count.desired} to 0{suspending}, and remember {memory.wanted}")


def apply(context: ServicesAtZeroContext, todos: Mapping[Subject, Todo]) -> None:
    """One call per service."""

    def change(tenant: Subject) -> None:
        match todos[tenant].payload:
            case RememberScale(arn, memory):
                context.counts.tag(arn, TAG, str(memory))
            case Suspend(service):
                context.autoscaling.suspend(service, ALL)
            case ScaleToZero(service):
                context.counts.scale(service, 0)

    each(todos, change)


STEP: Step[ServicesAtZeroContext, ServicesAtZeroFacts] = Step(
    id="services-at-zero",
    title="services are at 0, and their counts are remembered",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=900,
    poll=5,
)
