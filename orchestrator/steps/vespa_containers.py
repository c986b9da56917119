"""`vespa-containers`: on each tenant's instance docker runs the container `vespa`, and its config server answers.

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
from orchestrator.index import vespa
from orchestrator.index.vespa import VespaReport
from orchestrator.stack.contract import Stack, Vespa
from orchestrator.stack.ownership import Ownership, PartKind, remedy

STARTING = 300.0
"""Seconds a running container may take until its config server answers; then it is restarted, once."""
_PASSING = frozenset({"restarting", "removing"})
"""docker's words for what becomes another state by itself."""
_VERBS = {"paused": "unpause"}


class VespaContainersContext(Protocol):
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
class VespaContainersFacts:
    """By tenant its instance; of those that are online what is inside (None: unclear), of the others EC2's state.

    `recipes`, where there is no container: the `docker run` that makes it, or why there is none to be used. `foreign`,
    of instances where something is to be repaired: why they aren't the stack's own.
    """

    instances: Mapping[Subject, str]
    now: datetime
    inside: Mapping[Subject, VespaReport | None] = field(default_factory=dict)
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


def observe(context: VespaContainersContext) -> VespaContainersFacts:
    """Two calls, and one command for all; one call more for an instance that is offline or lacks the container."""
    vespas = context.stack.vespa
    if not vespas:
        return VespaContainersFacts({}, context.now())
    pings = context.ssm.pings(sorted({one.instance_id for one in vespas.values()}))
    online = {tenant: one for tenant, one in vespas.items() if _answers(pings, one)}
    looked = vespa.look(context.ssm, online, who="vespa-containers")
    inside = looked.results
    offline = [tenant for tenant in vespas if tenant not in online]
    gone = [tenant for tenant, one in inside.items() if one is not None and one.state == "absent"]
    states = attempt(offline, lambda tenant: context.ec2.state(vespas[tenant].instance_id))
    recipes = attempt(gone, lambda tenant: vespa.recipe(context.ec2.user_data(vespas[tenant].instance_id)))
    sick = sorted({online[tenant].instance_id for tenant, one in inside.items() if one is None or not one.healthy})
    return VespaContainersFacts(
        {tenant: one.instance_id for tenant, one in vespas.items()},
        context.now(),
        inside,
        states.results,
        recipes.results,
        _foreign(context, sick),
        Unread.each({**looked.failures, **states.failures, **recipes.failures}),
    )


def _foreign(context: VespaContainersContext, ids: Sequence[str]) -> Mapping[str, str]:
    """Why these aren't the stack's own; AWS is asked for the tags of what no state manages."""
    stack, known = context.stack, context.stack.ownership if ids else Ownership()
    unclear = [one for one in ids if not known.manages(PartKind.INSTANCE, one)]
    said = context.ec2.tags(unclear) if unclear else {}
    why = {one: known.objection(PartKind.INSTANCE, one, stack.stack, said.get(one)) for one in unclear}
    return {one: text for one, text in why.items() if text}


def _answers(pings: Mapping[str, Ping], one: Vespa) -> bool:
    return one.instance_id in pings and pings[one.instance_id].online


def decide(facts: VespaContainersFacts) -> Verdicts:
    """Per tenant: the instance, then docker, then the container, then its config server."""
    if not facts.instances:
        return {STACK: Done("the contract names no Vespa")}
    found = {tenant: _verdict(tenant, instance, facts) for tenant, instance in facts.instances.items()}
    return {tenant: _unless_foreign(facts.instances[tenant], facts, it) for tenant, it in found.items()}


def _unless_foreign(instance: str, facts: VespaContainersFacts, verdict: Verdict) -> Verdict:
    if instance not in facts.foreign or not isinstance(verdict, Todo):
        return verdict
    message = f"it would {verdict.change}, but {instance} is left as it is: {facts.foreign[instance]}"
    return Blocked(Problem("not-this-stacks", message, instance, remedy(PartKind.INSTANCE, instance)), refused=True)


def _verdict(tenant: Subject, instance: str, facts: VespaContainersFacts) -> Verdict:
    if tenant in facts.unread:
        return facts.unread[tenant].verdict
    if tenant in facts.states:
        return _offline(instance, facts.states[tenant])
    seen = facts.inside[tenant]
    if seen is None:
        fix = f"orchestrate shell vespa --tenant {tenant}, then: docker ps -a"
        return Blocked(Problem("vespa-unclear", f"what runs on {instance} is not known", tenant, fix))
    if seen.booting and (not seen.dockerd or seen.state == "absent"):
        fix = f"orchestrate shell vespa --tenant {tenant}, then: sudo tail /var/log/cloud-init-output.log"
        return Wait(f"the user_data of {instance} is still running", "vespa-booting", fix)
    if not seen.dockerd:
        return Todo(f"start docker on {instance}", Repair(instance, ("systemctl", "enable", "--now", "docker")))
    if seen.state == "absent":
        return _absent(tenant, instance, facts.recipes[tenant])
    if seen.state in _PASSING:
        return Wait(f"the container on {instance} is {seen.state}", "vespa-container-down", _logs(tenant))
    if seen.state != "running":
        verb = _VERBS.get(seen.state, "start")
        command = ("docker", verb, vespa.CONTAINER)
        return Todo(
            f"{verb} the container {vespa.CONTAINER} on {instance} (it is {seen.state})", Repair(instance, command)
        )
    return _running(tenant, instance, seen, facts.now)


def _offline(instance: str, state: str) -> Verdict:
    if state in ("pending", "running"):
        fix = "check the instance profile (AmazonSSMManagedInstanceCore), the agent and its route to SSM (NAT, "
        fix += "or VPC endpoints ssm, ssmmessages and ec2messages)"
        return Wait(f"{instance} is {state}, its SSM agent does not answer", "vespa-offline", fix)
    if not state or state == "terminated":
        fix = "terraform apply (it recreates the instance and attaches the data volume)"
        return Blocked(Problem("vespa-instance-missing", f"there is no instance {instance}", instance, fix))
    fix = f"aws ec2 start-instances --instance-ids {instance}"
    return Blocked(Problem("vespa-instance-stopped", f"instance {instance} is {state}", instance, fix))


def _absent(tenant: Subject, instance: str, recipe: tuple[str, ...] | str) -> Verdict:
    if isinstance(recipe, str):
        fix = "terraform apply -replace=<the aws_instance>, or start the container by hand as its user_data would"
        return Blocked(Problem("vespa-recipe-unusable", f"{instance} has no container: {recipe}", tenant, fix))
    what = f"create the container {vespa.CONTAINER} of {recipe[-1]} on {instance}, as its user_data does"
    return Todo(what, Repair(instance, recipe))


def _running(tenant: Subject, instance: str, seen: VespaReport, now: datetime) -> Verdict:
    if seen.healthy:
        return Done(f"{seen.image or vespa.CONTAINER} runs on {instance}, its config server answers")
    if seen.started is not None and (now - seen.started).total_seconds() > STARTING:
        command = ("docker", "restart", vespa.CONTAINER)
        return Todo(
            f"restart the container {vespa.CONTAINER} on {instance}: it does not answer", Repair(instance, command)
        )
    return Wait(f"the config server on {instance} does not answer yet", "vespa-unhealthy", _logs(tenant))


def _logs(tenant: Subject) -> str:
    return f"orchestrate logs vespa --tenant {tenant}"


def apply(context: VespaContainersContext, todos: Mapping[Subject, Todo]) -> None:
    """One command an instance, all at the same time; what came of it is seen by looking again."""

    def run(tenant: Subject) -> None:
        repair: Repair = todos[tenant].payload
        comment = f"orchestrate vespa-containers: {' '.join(repair.command[:2])}"
        context.ssm.run(repair.instance, shlex.join(repair.command), comment=comment, timeout=300)

    each(todos, run, at_once=vespa.AT_ONCE)


STEP: Step[VespaContainersContext, VespaContainersFacts] = Step(
    id="vespa-containers",
    title="Vespa's containers run and answer",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=600,
    on_request=True,
)
