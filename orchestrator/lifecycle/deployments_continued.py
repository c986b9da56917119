"""`deployments-continued`: no deployment waits at a pause hook; those that were shown to wait are told to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.aws.clusters import whole
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.service_deployments import RolloutRecord
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts, tenant_of
from orchestrator.engine.subjects import attempt, each
from orchestrator.errors import Problem
from orchestrator.lifecycle.services import left_alone
from orchestrator.rollout import stages
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import PartKind

AT_ONCE = 8


class ContinueContext(Protocol):
    """What the step needs. `first_hooks` is what the command remembers."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ecs(self) -> Ecs:
        """The cluster."""
        ...

    @property
    def first_hooks(self) -> dict[Subject, str]:
        """By tenant the id of the hook that was seen first: what comes after it was shown to nobody."""
        ...


@dataclass(frozen=True, slots=True)
class PausedFacts:
    """Per tenant its service's name, and ECS's record of its deployment where one is under way."""

    services: Mapping[Subject, str]
    missing: frozenset[Subject] = frozenset()
    records: Mapping[Subject, RolloutRecord] = field(default_factory=dict)
    first_hooks: Mapping[Subject, str] = field(default_factory=dict)
    unread: Mapping[Subject, Unread] = field(default_factory=dict)
    foreign: Mapping[Subject, str] = field(default_factory=dict)
    """Tenants whose service isn't the stack's own, and why."""


def observe(context: ContinueContext) -> PausedFacts:
    """Services in batches of 10; two calls more for each with a native deployment under way."""
    stack = context.stack
    names = {name: one.name for name, one in stack.services.items()}
    found = context.ecs.services(list(names.values()))
    there = {tenant: found[name] for tenant, name in names.items() if name in found}
    native = [tenant for tenant, one in there.items() if stages.tells(one, one.primary)]
    seen = attempt(native, lambda tenant: context.ecs.deployments.newest(names[tenant]), at_once=AT_ONCE)
    records = {tenant: one for tenant, one in seen.results.items() if one is not None}
    for tenant, one in records.items():
        if one.hook is not None:
            context.first_hooks.setdefault(tenant, one.hook.id)
    part = {tenant: (PartKind.SERVICE, whole(names[tenant], stack.cluster)) for tenant in context.first_hooks}
    why = {
        tenant: stack.ownership.objection(*part[tenant], stack.stack, there[tenant].tags)
        for tenant in part
        if tenant in there
    }
    return PausedFacts(
        services=names,
        missing=frozenset(names.keys() - there.keys()),
        records=records,
        first_hooks=dict(context.first_hooks),
        unread=Unread.each(seen.failures),
        foreign={tenant: text for tenant, text in why.items() if text},
    )


def decide(facts: PausedFacts) -> Verdicts:
    """Per tenant: whether its deployment is to be told to go on."""
    return {tenant: _verdict(tenant, name, facts) for tenant, name in facts.services.items()}


def _verdict(tenant: Subject, name: str, facts: PausedFacts) -> Verdict:
    if tenant in facts.missing:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {name}", tenant, fix))
    if tenant in facts.unread:
        return facts.unread[tenant].verdict
    record = facts.records.get(tenant)
    if record is None or record.hook is None:
        under_way = "; ".join(stages.doing(record)) if record else ""
        return Done(f"no deployment waits at a pause hook{f': {under_way}' if under_way else ''}")
    if tenant in facts.foreign:
        return left_alone(name, facts.foreign[tenant])
    if record.hook.id != facts.first_hooks.get(tenant):
        return Done(f"continued; it waits again, at {record.stage}: orchestrate continue {tenant_of(tenant)}")
    told = "; ".join(stages.doing(record))
    return Todo(f"continue the deployment of {name}: {told}", (record.arn, record.hook.id))


def apply(context: ContinueContext, todos: Mapping[Subject, Todo]) -> None:
    """ContinueServiceDeployment, one call for each."""
    each(todos, lambda tenant: context.ecs.deployments.go_on(*todos[tenant].payload))


STEP: Step[ContinueContext, PausedFacts] = Step(
    id="deployments-continued",
    title="no deployment waits at a pause hook",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=120,
    poll=2,
)
