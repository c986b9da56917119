"""`rollouts-stopped`: no service is left with a deployment of which every task fails, beside older tasks that run.

StopServiceDeployment goes back to what ran before; where the circuit breaker has given the deployment up already, there
is nothing to stop, and a new deployment has the task definition of the tasks that run. Both are made only by
`doctor --fix`, after it asked, and only where nothing else helps: the same task definition would repeat what its tasks
failed of (`rollout/hopeless.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from orchestrator.aws.service_deployments import RolloutRecord
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import attempt, each
from orchestrator.errors import Problem
from orchestrator.lifecycle.services import left_alone
from orchestrator.rollout import hopeless, progress
from orchestrator.rollout.causes import Cause
from orchestrator.rollout.ownership import objections
from orchestrator.rollout.progress import ProgressContext, Rollout

_SAME = timedelta(minutes=1)
"""ECS makes its record of a deployment and the deployment itself within this time."""


@dataclass(frozen=True, slots=True)
class DeploymentStop:
    """The ARN of ECS's record of the deployment that is to be stopped."""

    deployment: str


@dataclass(frozen=True, slots=True)
class Rollback:
    """The service that gets a new deployment, and its task definition."""

    service: str
    definition: str


@dataclass(frozen=True, slots=True)
class HopelessFacts:
    """Per tenant its rollout; of the hopeless ones ECS's record, and of those that this run stopped."""

    rollouts: Mapping[Subject, Rollout]
    records: Mapping[Subject, RolloutRecord] = field(default_factory=dict)
    unread: Mapping[Subject, Unread] = field(default_factory=dict)
    stopped: frozenset[Subject] = frozenset()
    returned: Mapping[Subject, str] = field(default_factory=dict)
    """Tenants for which this run made a new deployment, and its id."""
    deregistered: frozenset[Subject] = frozenset()
    """Tenants whose older tasks have a task definition that no new deployment can have."""
    foreign: Mapping[Subject, str] = field(default_factory=dict)
    """Tenants whose deployment would be stopped if the service were the stack's own, and why it isn't."""


def observe(context: ProgressContext) -> HopelessFacts:
    """Services, and the tasks of those that are not steady; two calls more for each that is hopeless, or three."""
    memory = context.rollout_memory
    seen = progress.observe(context.stack, context.ecs, context.targets, context.logs, memory=memory)
    stopped = frozenset(name for name, history in memory.value.histories.items() if history.stopped)
    asked = [name for name, one in seen.items() if name in stopped or hopeless.cause(one)]
    names = {name: one.name for name, one in context.stack.services.items()}
    told = attempt(asked, lambda name: context.ecs.record(names[name]))
    records = {name: one for name, one in told.results.items() if one is not None}
    over = [name for name in told.results if hopeless.cause(seen[name]) and hopeless.has_failed(seen[name])]
    taken = attempt(over, lambda name: context.ecs.takes(hopeless.served_by(seen[name])))
    facts = HopelessFacts(
        seen,
        records,
        Unread.each({**told.failures, **taken.failures}),
        stopped,
        memory.value.caused,
        frozenset(name for name, takes in taken.results.items() if not takes),
    )
    wanted = [tenant for tenant, verdict in decide(facts).items() if isinstance(verdict, Todo)]
    return replace(facts, foreign=objections(context.stack, seen, wanted))


def decide(facts: HopelessFacts) -> Verdicts:
    """Per tenant: whether its deployment is to be stopped."""
    return {tenant: _verdict(tenant, rollout, facts) for tenant, rollout in facts.rollouts.items()}


def _verdict(tenant: Subject, rollout: Rollout, facts: HopelessFacts) -> Verdict:
    unread = rollout.unread or facts.unread.get(tenant)
    if unread is not None:
        return unread.verdict
    record = facts.records.get(tenant)
    if tenant in facts.stopped:
        back = record is None or not record.can_stop
        return Done("stopped: it rolls back to what ran before") if back else Wait("ECS has yet to stop it", poll=1.0)
    cause = hopeless.cause(rollout)
    if cause is None:
        return Done("no deployment is hopeless")
    primary, name = rollout.primary, rollout.service.name if rollout.service else tenant
    if record is not None and record.can_stop:
        if primary is not None and record.created_at is not None and record.created_at - primary.created_at > _SAME:
            return Done("another deployment has begun meanwhile")
        if tenant in facts.foreign:
            return left_alone(name, facts.foreign[tenant])
        return Todo(
            f"stop the deployment of {name}, and roll back to what ran before: {cause.message}",
            DeploymentStop(record.arn),
        )
    if record is not None and record.is_open:
        return Done(f"it rolls back by itself ({record.status})")
    if not hopeless.has_failed(rollout):
        return Done(f"it has ended ({record.status})" if record else "ECS has no record of it: left as it is")
    return _way_back(tenant, rollout, cause, facts)


def _way_back(tenant: Subject, rollout: Rollout, cause: Cause, facts: HopelessFacts) -> Verdict:
    """Of a deployment that the circuit breaker gave up."""
    primary, name = rollout.primary, rollout.service.name if rollout.service else tenant
    made, definition = facts.returned.get(tenant), hopeless.served_by(rollout)
    if made is not None and primary is not None and made != primary.id:
        return Wait("ECS has yet to show the new deployment", poll=1.0)
    if tenant in facts.foreign:
        return left_alone(name, facts.foreign[tenant])
    which = definition.rpartition("/")[2]
    if tenant in facts.deregistered:
        message = f"{name} can't go back to {which}, which its tasks still have: it was deregistered"
        fix = f"repair the task definition and apply it; until then leave the tasks that run alone: {cause.fix}"
        return Blocked(Problem("task-definition-inactive", message, tenant, fix))
    change = f"have a new deployment of {name} go back to {which}, which its tasks still have: {cause.message}"
    return Todo(change, Rollback(name, definition))


def apply(context: ProgressContext, todos: Mapping[Subject, Todo]) -> None:
    """StopServiceDeployment or UpdateService, one call for each."""

    def back(tenant: Subject) -> None:
        way: DeploymentStop | Rollback = todos[tenant].payload
        if isinstance(way, DeploymentStop):
            context.ecs.stop(way.deployment)
            context.rollout_memory.update_service(tenant, lambda history: replace(history, stopped=True))
            return
        made = context.ecs.redeploy(way.service, way.definition)
        context.rollout_memory.update_service(tenant, lambda history: history.having_caused(made))

    each(todos, back)


STEP: Step[ProgressContext, HopelessFacts] = Step(
    id="rollouts-stopped",
    title="no deployment is left whose tasks all fail",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=120,
    poll=2,
    on_request=True,
)
