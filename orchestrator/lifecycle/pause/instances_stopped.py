"""`instances-stopped`: the indexes' instances and the runner are stopped once no task uses them; volumes stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import together
from orchestrator.errors import Problem
from orchestrator.lifecycle.instance_owners import GONE, foreign, gone, not_ours, owners
from orchestrator.lifecycle.other_users import OtherUsers
from orchestrator.lifecycle.pause.in_use import busy, still_running
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import PartKind


class InstancesStoppedContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ec2(self) -> Ec2:
        """EC2."""
        ...

    @property
    def counts(self) -> ServiceCounts:
        """ECS."""
        ...

    @property
    def other_users(self) -> OtherUsers:
        """Who else is there."""
        ...


@dataclass(frozen=True, slots=True)
class InstancesStoppedFacts:
    """Whose which instances are (the runner is the stack's, whoever's index it has), their states, busy services.

    `foreign`: instances that aren't the stack's own, and why; `users`: others that use a tenant's index.
    """

    owners: Mapping[Subject, tuple[str, ...]]
    states: Mapping[str, str]
    busy: tuple[str, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[Subject, tuple[str, ...]] = field(default_factory=dict)


def observe(context: InstancesStoppedContext) -> InstancesStoppedFacts:
    """Two calls for ten tenants; while some run, those that tell who else uses them: once a run."""
    stack, whose = context.stack, owners(context.stack)
    ids = sorted({one for them in whose.values() for one in them})
    states = context.ec2.states(ids)
    running = [one for one in ids if states.get(one) == "running"]
    others = foreign(stack, running, context.ec2.tags)
    if len(running) > len(others):
        context.other_users.strangers()  # the runner asks the database, so before it is stopped
    users: dict[Subject, tuple[str, ...]] = {}
    for one in stack.indexes:
        if one.server.instance_id in running and (found := context.other_users.users(one.server.host)):
            users[one.tenant] = (*users.get(one.tenant, ()), *found)
    return InstancesStoppedFacts(whose, states, busy(stack, context.counts), others, users)


def decide(facts: InstancesStoppedFacts) -> Verdicts:
    """Per tenant, and for the stack."""
    return {subject: _verdict(subject, ids, facts) for subject, ids in facts.owners.items()}


def _verdict(subject: Subject, ids: tuple[str, ...], facts: InstancesStoppedFacts) -> Verdict:
    others = [one for one in ids if one in facts.foreign]
    if others and len(others) == len(ids):
        return Done("; ".join(f"{one} is left as it is: {facts.foreign[one]}" for one in others))
    ids = tuple(one for one in ids if one not in facts.foreign)
    if used := facts.users.get(subject):
        return Done(f"{', '.join(ids)} stays up: {'; '.join(used)}")
    missing = [one for one in ids if facts.states.get(one, "terminated") in GONE]
    if missing:
        return Blocked(gone(missing))
    by_state = {one: facts.states[one] for one in ids}
    said = ", ".join(f"{one} is {state}" for one, state in by_state.items())
    if facts.busy and set(by_state.values()) != {"stopped"}:
        return Blocked(still_running(facts.busy, ", ".join(ids)))
    running = tuple(one for one, state in by_state.items() if state == "running")
    if running:
        return Todo(f"stop {', '.join(running)}", running)
    if set(by_state.values()) != {"stopped"}:
        return Wait(said, "instance-not-stopped", "look at the instance in EC2: a forced stop may be needed")
    return Done(said)


def apply(context: InstancesStoppedContext, todos: Mapping[Subject, Todo]) -> None:
    """One call: the runner may have a tenant's index as well. EC2 refuses it as a whole for one instance's sake."""
    together(list(todos), lambda some: context.ec2.stop(sorted({one for who in some for one in todos[who].payload})))


def findings(facts: InstancesStoppedFacts) -> Iterable[Problem]:
    """Why instances are not stopped."""
    for instance, why in facts.foreign.items():
        yield not_ours(PartKind.INSTANCE, instance, why)
    for tenant, users in facts.users.items():
        fix = "pause those first; then run orchestrate pause again"
        yield Problem("used-by-others", f"others use it, so it keeps costing money: {'; '.join(users)}", tenant, fix)


STEP: Step[InstancesStoppedContext, InstancesStoppedFacts] = Step(
    id="instances-stopped",
    title="the indexes' instances and the runner are stopped",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
    timeout=900,
    poll=5,
    findings=findings,
)
