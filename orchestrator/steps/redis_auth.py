"""`redis-auth`: the replication group asks for the token that is in its secret.

The provider would keep the token in Terraform's state, so Terraform makes the group with TLS only and this step sets
the token. A group without one takes ROTATE first (both ways accepted), then SET (only the token is). In between the
group bears a tag of ours: AWS shows no difference, and a run that ends there must be gone on with by the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.elasticache import RedisState
from orchestrator.contract import Redis, Stack
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.value_from import held

COMING = frozenset({"creating", "modifying", "snapshotting"})


class Groups(Protocol):
    """Replication groups."""

    def group(self, name: str) -> RedisState:
        """The group's state now."""
        ...

    def is_rotating(self, arn: str) -> bool:
        """Whether it took our ROTATE and still wants SET."""
        ...

    def rotate(self, group: RedisState, token: str) -> None:
        """Accept the token too."""
        ...

    def settle(self, group: RedisState, token: str) -> None:
        """Accept only the token."""
        ...


class Secrets(Protocol):
    """Secret values."""

    def value(self, arn: str) -> str:
        """The secret's string."""
        ...


class Context(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def elasticache(self) -> Groups:
        """Where replication groups are."""
        ...

    @property
    def secrets(self) -> Secrets:
        """Where the token is."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """`redis` is None when the stack has no Redis of its own. `rotated`: it took ROTATE and still wants SET."""

    redis: Redis | None
    state: RedisState
    rotated: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """ROTATE of the group as it was seen, or (`final`) SET."""

    group: RedisState
    final: bool = False


def observe(context: Context) -> Facts:
    """One call, two when a token is asked for, none without Redis."""
    redis = context.stack.redis
    if redis is None or redis.auth_secret_arn is None:
        return Facts(redis, RedisState(""))
    state = context.elasticache.group(redis.replication_group)
    return Facts(redis, state, state.auth and context.elasticache.is_rotating(state.arn))


def decide(facts: Facts) -> Verdicts:
    """TLS first, then ROTATE, then SET."""
    if facts.redis is None or facts.redis.auth_secret_arn is None:
        return {STACK: Done("the stack names no Redis token")}
    return {STACK: _verdict(facts.state, rotated=facts.rotated)}


def _verdict(state: RedisState, *, rotated: bool) -> Verdict:
    name = state.group
    if not state.status:
        fix = "check `region` and `redis.replication_group` in the contract"
        return Blocked(Problem("redis-missing", f"there is no replication group {name}", name, fix))
    if not state.tls:
        fix = "set transit_encryption_enabled = true: AUTH needs TLS"
        return Blocked(Problem("redis-tls-off", f"{name} has no transit encryption", name, fix))
    if state.status in COMING:
        return Wait(f"{name} is {state.status}", "redis-not-available")
    if state.status != "available":
        return Blocked(Problem("redis-not-available", f"{name} is {state.status}", name, "look at its events"))
    if not state.auth:
        return Todo(f"set the token of {name}", Change(state))
    if rotated:
        return Todo(f"accept only the token at {name}", Change(state, final=True))
    return Done(f"{name} asks for its token over TLS")


def apply(context: Context, todos: Mapping[Subject, Todo]) -> None:
    """One ModifyReplicationGroup; the token goes from its store to ElastiCache and nowhere else."""
    redis = context.stack.redis
    assert redis is not None  # noqa: S101 - decided only with a Redis and its secret
    assert redis.auth_secret_arn is not None  # noqa: S101
    change: Change = todos[STACK].payload
    token = held(context.secrets.value(redis.auth_secret_arn), redis.auth_secret_key or "", redis.auth_secret_arn)
    if change.final:
        context.elasticache.settle(change.group, token)
    else:
        context.elasticache.rotate(change.group, token)


STEP: Step[Context, Facts] = Step(
    id="redis-auth",
    title="Redis asks for its token",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=1200,
    poll=10,
)
