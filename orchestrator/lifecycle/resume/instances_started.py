"""`instances-started`: stopped instances run; where AWS has no room, it is asked again until the end.

EC2 takes the call also for an instance that it can't start, and stops it again a moment later. One tenant's instance
stops nobody else. Whether an instance is of use is seen by `runner` and `vespa-containers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestrator.aws.ec2 import Ec2, NoCapacity, not_startable
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import each
from orchestrator.engine.unconfirmed import WINDOW
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.lifecycle.instance_owners import GONE, foreign, gone, owners
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import PartKind, remedy

PAUSE = 20.0
"""Seconds until AWS is asked for capacity again."""


@dataclass(frozen=True, slots=True)
class CapacityRefusal:
    """AWS had no room: when it was asked last, how often, and its words."""

    at: datetime
    times: int
    problem: Problem


class InstancesStartedContext(Protocol):
    """What the step needs. `refusals` and `starts` are the run's memory, by instance."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ec2(self) -> Ec2:
        """EC2."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """Wall-clock time, UTC."""
        ...

    @property
    def refusals(self) -> dict[str, CapacityRefusal]:
        """Instances that AWS had no room for."""
        ...

    @property
    def starts(self) -> dict[str, datetime]:
        """Instances that this run told to start, and when."""
        ...


@dataclass(frozen=True, slots=True)
class InstancesStartedFacts:
    """Whose which instances are, their states, and what AWS refused in this run.

    `foreign`: stopped instances that aren't the stack's own, and why. `failures`: stopped ones that EC2 has failed to
    start since this run told it to, and why.
    """

    owners: Mapping[Subject, tuple[str, ...]]
    states: Mapping[str, str]
    now: datetime
    refusals: Mapping[str, CapacityRefusal] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartInstances:
    """Start these; `attempt` makes another try another change."""

    ids: tuple[str, ...]
    attempt: int


def observe(context: InstancesStartedContext) -> InstancesStartedFacts:
    """One call; one more while an instance is shown as stopped that this run has started."""
    whose = owners(context.stack)
    states = context.ec2.states(sorted({one for ids in whose.values() for one in ids}))
    stopped = [one for one, state in states.items() if state == "stopped"]
    others = foreign(context.stack, stopped, context.ec2.tags) if stopped else {}
    now = context.now()
    # What EC2 shows right after the call may still be the reason of an earlier failure.
    due = [one for one in stopped if one in context.starts and (now - context.starts[one]).total_seconds() > WINDOW]
    failures = context.ec2.failures(due) if due else {}
    return InstancesStartedFacts(whose, states, now, dict(context.refusals), others, failures)


def decide(facts: InstancesStartedFacts) -> Verdicts:
    """Per tenant, and for the stack."""
    return {subject: _verdict(ids, facts) for subject, ids in facts.owners.items()}


def _verdict(ids: tuple[str, ...], facts: InstancesStartedFacts) -> Verdict:
    missing = [one for one in ids if facts.states.get(one, "terminated") in GONE]
    if missing:
        return Blocked(gone(missing))
    said = ", ".join(f"{one} is {facts.states[one]}" for one in ids)
    if others := [one for one in ids if one in facts.foreign]:
        return Blocked(_not_started(others[0], facts.foreign[others[0]]), refused=True)
    stopped = tuple(one for one in ids if facts.states[one] == "stopped")
    refused = [facts.refusals[one] for one in stopped if one in facts.refusals]
    recent = [one for one in refused if (facts.now - one.at).total_seconds() < PAUSE]
    if recent:
        problem = recent[0].problem
        return Wait(f"{problem.message} (asked {recent[0].times} times)", problem.code, problem.fix, poll=PAUSE)
    if fallen := [one for one in stopped if one in facts.failures]:
        return Blocked(not_startable(fallen[0], facts.failures[fallen[0]]))
    if stopped:
        attempt = max((one.times for one in refused), default=0) + 1
        return Todo(f"start {', '.join(stopped)}", StartInstances(stopped, attempt))
    if any(facts.states[one] == "stopping" for one in ids):
        return Wait(f"{said}: it can be started once it is stopped", "instance-stopping", "look at the instance in EC2")
    if any(facts.states[one] == "pending" for one in ids):
        fix = "look at the instance in EC2: its status checks and its system log"
        return Wait(f"{said}: it starts", "instance-not-running", fix)
    return Done(said)


def _not_started(instance: str, why: str) -> Problem:
    message = f"{instance} is stopped, and not started from here: {why}"
    fix = f"ask its owner to start it; or {remedy(PartKind.INSTANCE, instance)}"
    return Problem("not-this-stacks", message, instance, fix)


def apply(context: InstancesStartedContext, todos: Mapping[Subject, Todo]) -> None:
    """One call an instance, however many want it."""
    asked: dict[str, OrchestratorError | None] = {}

    def start(subject: Subject) -> None:
        for instance in todos[subject].payload.ids:
            if instance not in asked:
                asked[instance] = _asked(context, instance)
        failures = [error for instance in todos[subject].payload.ids if (error := asked[instance])]
        if failures:
            raise failures[0]

    each(todos, start)


def _asked(context: InstancesStartedContext, instance: str) -> OrchestratorError | None:
    """Start it; why it was not started. That AWS has no room for it is remembered, and may pass."""
    try:
        context.ec2.start(instance)
        context.starts[instance] = context.now()
    except NoCapacity as error:
        before = context.refusals.get(instance)
        times = before.times + 1 if before else 1
        context.refusals[instance] = CapacityRefusal(context.now(), times, error.problems[0])
        return Transient(*error.problems)
    except OrchestratorError as error:
        return error
    return None


STEP: Step[InstancesStartedContext, InstancesStartedFacts] = Step(
    id="instances-started",
    title="the indexes' instances and the runner are running",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=900,
    poll=5,
)
