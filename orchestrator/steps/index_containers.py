"""`vespa-containers` and its like, one a kind of index: docker runs the container on each instance, and it answers.

A container that is gone is made again by the very `docker run` of the instance's user_data: its image, data volume and
restart policy. Not part of a plain run: named by `--only`, or by `doctor --fix`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.ssm import Ping, Ssm
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import attempt, each
from orchestrator.errors import Problem
from orchestrator.index import PROVIDERS, AnyIndex
from orchestrator.index.provider import AT_ONCE
from orchestrator.index.report import IndexReport
from orchestrator.stack.contract import Stack
from orchestrator.stack.indexes import IndexServer
from orchestrator.stack.ownership import Ownership, PartKind, remedy

STARTING = 300.0
"""Seconds a running container may take until it answers; then it is restarted, once."""
_PASSING = frozenset({"restarting", "removing"})
"""docker's words for what becomes another state by itself."""
_VERBS = {"paused": "unpause"}


class IndexContainersContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ssm(self) -> Ssm:
        """SSM."""
        ...

    @property
    def ec2(self) -> Ec2:
        """EC2."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """Wall-clock time, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class IndexContainersFacts:
    """By tenant its instance; of those that are online what is inside (None: unclear), of the others EC2's state.

    `recipes`, where there is no container: the `docker run` that makes it, or why there is none to be used. `foreign`,
    of instances where something is to be repaired: why they aren't the stack's own.
    """

    instances: Mapping[Subject, str]
    now: datetime
    inside: Mapping[Subject, IndexReport | None] = field(default_factory=dict)
    states: Mapping[Subject, str] = field(default_factory=dict)
    recipes: Mapping[Subject, tuple[str, ...] | str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[Subject, Unread] = field(default_factory=dict)
    """Whose instance could not be looked into, or had its user_data read."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What is to be run on an instance: the words of one command."""

    instance: str
    command: tuple[str, ...]


def _foreign(context: IndexContainersContext, ids: Sequence[str]) -> Mapping[str, str]:
    """Why these aren't the stack's own; AWS is asked for the tags of what no state manages."""
    stack, known = context.stack, context.stack.ownership if ids else Ownership()
    unclear = [one for one in ids if not known.manages(PartKind.INSTANCE, one)]
    said = context.ec2.tags(unclear) if unclear else {}
    why = {one: known.objection(PartKind.INSTANCE, one, stack.stack, said.get(one)) for one in unclear}
    return {one: text for one, text in why.items() if text}


def _answers(pings: Mapping[str, Ping], one: IndexServer) -> bool:
    return one.instance_id in pings and pings[one.instance_id].online


@dataclass(frozen=True, slots=True)
class IndexContainers:
    """The step of one kind of index."""

    index: AnyIndex

    def observe(self, context: IndexContainersContext) -> IndexContainersFacts:
        """Two calls, and one command for all; one call more for an instance that is offline or lacks the container."""
        places = self.index.of(context.stack)
        if not places:
            return IndexContainersFacts({}, context.now())
        pings = context.ssm.pings(sorted({one.instance_id for one in places.values()}))
        online = {tenant: one for tenant, one in places.items() if _answers(pings, one)}
        looked = self.index.look(context.ssm, online, who=self.step_id)
        inside = looked.results
        offline = [tenant for tenant in places if tenant not in online]
        gone = [tenant for tenant, one in inside.items() if one is not None and one.state == "absent"]
        states = attempt(offline, lambda tenant: context.ec2.state(places[tenant].instance_id))
        recipes = attempt(gone, lambda tenant: self.index.recipe(context.ec2.user_data(places[tenant].instance_id)))
        sick = sorted({online[tenant].instance_id for tenant, one in inside.items() if one is None or not one.healthy})
        return IndexContainersFacts(
            {tenant: one.instance_id for tenant, one in places.items()},
            context.now(),
            inside,
            states.results,
            recipes.results,
            _foreign(context, sick),
            Unread.each({**looked.failures, **states.failures, **recipes.failures}),
        )

    @property
    def step_id(self) -> str:
        """The step's."""
        return f"{self.index.name}-containers"  # as `index.STEPS` says

    def decide(self, facts: IndexContainersFacts) -> Verdicts:
        """Per tenant: the instance, then docker, then the container, then whether it answers."""
        if not facts.instances:
            return {STACK: Done(f"the contract names no {self.index.title}")}
        found = {tenant: self._verdict(tenant, instance, facts) for tenant, instance in facts.instances.items()}
        return {tenant: _unless_foreign(facts.instances[tenant], facts, it) for tenant, it in found.items()}

    def _verdict(self, tenant: Subject, instance: str, facts: IndexContainersFacts) -> Verdict:
        name = self.index.name
        if tenant in facts.unread:
            return facts.unread[tenant].verdict
        if tenant in facts.states:
            return self._offline(instance, facts.states[tenant])
        seen = facts.inside[tenant]
        if seen is None:
            fix = f"orchestrate shell {name} --tenant {tenant}, then: docker ps -a"
            return Blocked(Problem(f"{name}-unclear", f"what runs on {instance} is not known", tenant, fix))
        if seen.booting and (not seen.dockerd or seen.state == "absent"):
            fix = f"orchestrate shell {name} --tenant {tenant}, then: sudo tail /var/log/cloud-init-output.log"
            return Wait(f"the user_data of {instance} is still running", f"{name}-booting", fix)
        if not seen.dockerd:
            return Todo(f"start docker on {instance}", Repair(instance, ("systemctl", "enable", "--now", "docker")))
        if seen.state == "absent":
            return self._absent(tenant, instance, facts.recipes[tenant])
        if seen.state in _PASSING:
            return Wait(f"the container on {instance} is {seen.state}", f"{name}-container-down", self._logs(tenant))
        if seen.state != "running":
            verb = _VERBS.get(seen.state, "start")
            change = f"{verb} the container {name} on {instance} (it is {seen.state})"
            return Todo(change, Repair(instance, ("docker", verb, name)))
        return self._running(tenant, instance, seen, facts.now)

    def _offline(self, instance: str, state: str) -> Verdict:
        name = self.index.name
        if state in ("pending", "running"):
            fix = "check the instance profile (AmazonSSMManagedInstanceCore), the agent and its route to SSM (NAT, "
            fix += "or VPC endpoints ssm, ssmmessages and ec2messages)"
            return Wait(f"{instance} is {state}, its SSM agent does not answer", f"{name}-offline", fix)
        if not state or state == "terminated":
            fix = "terraform apply (it recreates the instance and attaches the data volume)"
            return Blocked(Problem(f"{name}-instance-missing", f"there is no instance {instance}", instance, fix))
        fix = f"aws ec2 start-instances --instance-ids {instance}"
        return Blocked(Problem(f"{name}-instance-stopped", f"instance {instance} is {state}", instance, fix))

    def _absent(self, tenant: Subject, instance: str, recipe: tuple[str, ...] | str) -> Verdict:
        name = self.index.name
        if isinstance(recipe, str):
            fix = "terraform apply -replace=<the aws_instance>, or start the container by hand as its user_data would"
            return Blocked(Problem(f"{name}-recipe-unusable", f"{instance} has no container: {recipe}", tenant, fix))
        what = f"create the container {name} of {recipe[-1]} on {instance}, as its user_data does"
        return Todo(what, Repair(instance, recipe))

    def _running(self, tenant: Subject, instance: str, seen: IndexReport, now: datetime) -> Verdict:
        name, answerer = self.index.name, self.index.answerer
        if seen.healthy:
            return Done(f"{seen.image or name} runs on {instance}, {answerer} answers")
        young = seen.started is not None and (now - seen.started).total_seconds() <= STARTING
        if seen.trouble and not young:
            trouble = self.index.troubles[seen.trouble]
            message = f"{self.index.title} on {instance} can't be used: {trouble.cause}"
            return Blocked(Problem(f"{name}-{seen.trouble}", message, tenant, trouble.fix.format(tenant=tenant)))
        if seen.started is not None and not young:
            change = f"restart the container {name} on {instance}: it does not answer"
            return Todo(change, Repair(instance, ("docker", "restart", name)))
        said = f"{answerer.replace('its', 'the', 1)} on {instance} does not answer yet"
        return Wait(said, f"{name}-unhealthy", self._logs(tenant))

    def _logs(self, tenant: Subject) -> str:
        return f"orchestrate logs {self.index.name} --tenant {tenant}"

    def apply(self, context: IndexContainersContext, todos: Mapping[Subject, Todo]) -> None:
        """One command an instance, all at the same time; what came of it is seen by looking again."""

        def run(tenant: Subject) -> None:
            repair: Repair = todos[tenant].payload
            comment = f"orchestrate {self.step_id}: {' '.join(repair.command[:2])}"
            context.ssm.run(repair.instance, shlex.join(repair.command), comment=comment, timeout=300)

        each(todos, run, at_once=AT_ONCE)

    def step(self) -> Step[IndexContainersContext, IndexContainersFacts]:
        """For the engine."""
        return Step(
            id=self.step_id,
            title=f"{self.index.title}'s containers run and answer",
            observe=self.observe,
            decide=self.decide,
            apply=self.apply,
            timeout=600,
            on_request=True,
        )


def _unless_foreign(instance: str, facts: IndexContainersFacts, verdict: Verdict) -> Verdict:
    if instance not in facts.foreign or not isinstance(verdict, Todo):
        return verdict
    message = f"it would {verdict.change}, but {instance} is left as it is: {facts.foreign[instance]}"
    return Blocked(Problem("not-this-stacks", message, instance, remedy(PartKind.INSTANCE, instance)), refused=True)


STEPS = tuple(IndexContainers(one).step() for one in PROVIDERS)
