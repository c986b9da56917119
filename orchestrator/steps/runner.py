"""`runner`: the instance that SSM commands run on answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.ssm import Ping, Ssm
from orchestrator.engine.step import STACK, Blocked, Done, Step, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.errors import Problem
from orchestrator.stack.contract import Stack


class RunnerContext(Protocol):
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
    def needs_runner(self) -> bool:
        """False when the database is reached directly."""
        ...


@dataclass(frozen=True, slots=True)
class RunnerFacts:
    """`ping` is None when no runner is needed; `state` is asked for only when the agent doesn't answer.

    `instance` is empty when the stack has no runner.
    """

    instance: str
    ping: Ping | None
    state: str = ""


def observe(context: RunnerContext) -> RunnerFacts:
    """One call, two when the agent doesn't answer."""
    instance = context.stack.runner.instance_id if context.stack.runner else ""
    if not context.needs_runner:
        return RunnerFacts(instance, None)
    if not instance:
        return RunnerFacts("", Ping(None))
    ping = context.ssm.ping(instance)
    return RunnerFacts(instance, ping, "" if ping.online else context.ec2.state(instance))


def decide(facts: RunnerFacts) -> Verdicts:
    """Online, coming (the agent takes about a minute after launch), or gone."""
    return {STACK: _verdict(facts)}


def _verdict(facts: RunnerFacts) -> Verdict:
    name = facts.instance
    if facts.ping is None:
        return Done("not needed: the database is reached directly")
    if not name:
        fix = "give the stack an instance with AmazonSSMManagedInstanceCore that reaches the database, or reach it "
        fix += "from here with --database-transport direct"
        message = "no instance of the stack runs commands"
        return Blocked(Problem("runner-unknown", message, "runner", fix))
    if facts.ping.online:
        return Done(f"{name} is online")
    if facts.state in ("running", "pending"):
        seen = facts.ping.status or "not registered"
        fix = "check the instance profile (AmazonSSMManagedInstanceCore), the agent and its route to SSM (NAT, "
        fix += "or VPC endpoints ssm, ssmmessages and ec2messages)"
        return Wait(f"{name} is {facts.state}, its SSM agent is {seen}", "runner-offline", fix)
    if not facts.state:
        fix = "the contract is older than the stack: run terraform apply, or pass the current outputs"
        return Blocked(Problem("runner-missing", f"there is no instance {name}", name, fix))
    fix = f"orchestrate resume (or: aws ec2 start-instances --instance-ids {name})"
    return Blocked(Problem("runner-stopped", f"instance {name} is {facts.state}", name, fix))


STEP: Step[RunnerContext, RunnerFacts] = Step(
    id="runner",
    title="the runner instance answers",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=600,
    poll=5,
)
