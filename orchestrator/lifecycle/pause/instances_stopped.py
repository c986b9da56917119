"""`instances-stopped`: Vespa's instances and the runner are stopped, once no task uses them; their volumes stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.contract import Stack
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.lifecycle.pause.in_use import Counts, busy, still_running
from orchestrator.lifecycle.pause.whose import GONE, gone, owners
from orchestrator.subjects import together


class Instances(Protocol):
    """EC2."""

    def states(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Of those that exist, EC2's word."""
        ...

    def stop(self, ids: Sequence[str]) -> None:
        """Begin to stop them."""
        ...


class Context(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ec2(self) -> Instances:
        """EC2."""
        ...

    @property
    def counts(self) -> Counts:
        """ECS."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """Whose which instances are (the runner is the stack's, whoever's Vespa it has), their states, busy services."""

    owners: Mapping[Subject, tuple[str, ...]]
    states: Mapping[str, str]
    busy: tuple[str, ...] = ()


def observe(context: Context) -> Facts:
    """Two calls for ten tenants."""
    whose = owners(context.stack)
    states = context.ec2.states(sorted({one for ids in whose.values() for one in ids}))
    return Facts(whose, states, busy(context.stack, context.counts))


def decide(facts: Facts) -> Verdicts:
    """Per tenant, and for the stack."""
    return {subject: _verdict(ids, facts) for subject, ids in facts.owners.items()}


def _verdict(ids: tuple[str, ...], facts: Facts) -> Verdict:
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


def apply(context: Context, todos: Mapping[Subject, Todo]) -> None:
    """One call: the runner may be a tenant's Vespa as well. EC2 refuses it as a whole for one instance's sake."""
    together(list(todos), lambda some: context.ec2.stop(sorted({one for who in some for one in todos[who].payload})))


STEP: Step[Context, Facts] = Step(
    id="instances-stopped",
    title="Vespa's instances and the runner are stopped",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
    timeout=900,
    poll=5,
)
