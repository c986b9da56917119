"""`redis-auth`: the replication group asks for the token that is in its secret.

One that isn't the stack's own keeps the token it has, and so does one that somebody else uses: without the new token
they could not sign in any more.

The provider would keep the token in Terraform's state, so Terraform makes the group with TLS only and this step sets
the token. A group without one takes ROTATE first (both ways accepted), then SET (only the token is). In between the
group bears a tag of ours: AWS shows no difference, and a run that ends there must be gone on with by the next.

AWS says that a group has a token, never which. That it is the secret's is proven by signing in with it, from the
runner; where nobody can try, it is said not to be proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from orchestrator import inside
from orchestrator.aws.ecs import Ecs
from orchestrator.aws.elasticache import ElastiCache, RedisState
from orchestrator.aws.value_from import held
from orchestrator.aws.values import SecretValues
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.inside import RedisLogin, Unproven
from orchestrator.inside.shell import Shell
from orchestrator.stack.contract import Redis, Stack
from orchestrator.stack.ownership import PartKind, remedy

SPREADING = 30.0
"""Seconds in which a token that was set a moment ago may not be asked for yet, and a runner not answer yet.

A new stack's runner has long booted when its Redis has taken a token; and what holds up a run is the step `runner`.
"""
COMING = frozenset({"creating", "modifying", "snapshotting"})


class FindsRedisUsers(Protocol):
    """Who else uses what the stack uses."""

    def users(self, *names: str) -> tuple[str, ...]:
        """Services and tasks of others that name one of these, in words."""
        ...


class RedisAuthContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def elasticache(self) -> ElastiCache:
        """Where replication groups are."""
        ...

    @property
    def secrets(self) -> SecretValues:
        """Where the token is."""
        ...

    @property
    def ssm(self) -> Shell:
        """Who runs commands on the runner."""
        ...

    @property
    def needs_runner(self) -> bool:
        """False when nothing goes through the runner."""
        ...

    @property
    def first_looks(self) -> FirstLooks:
        """When each step first looked."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """Wall-clock time, UTC."""
        ...

    @property
    def ecs(self) -> Ecs:
        """Where services are read."""
        ...

    @property
    def redis_rotations(self) -> frozenset[str]:
        """Groups whose token somebody asked to be rotated to the secret's."""
        ...

    @property
    def other_users(self) -> FindsRedisUsers:
        """Who else is there."""
        ...


@dataclass(frozen=True, slots=True)
class RedisAuthFacts:
    """`redis` is None when the stack has no Redis. `rotated`: it took ROTATE and still wants SET.

    `login` is what signing in with the secret's token gave; `patient`: what is not so yet may become so. Of one whose
    token would have to be set, `foreign` is why it isn't the stack's own (empty: it is), `users` others that use it.
    """

    redis: Redis | None
    state: RedisState
    rotated: bool = False
    login: RedisLogin | Unproven | None = None
    patient: bool = False
    foreign: str = ""
    users: tuple[str, ...] = ()
    asked: bool = False
    """Whether somebody asked that a token which differs be rotated to the secret's."""
    older: tuple[str, ...] = ()
    """Tenants whose services were up before this group was made, and not since: they had another one."""


@dataclass(frozen=True, slots=True)
class TokenChange:
    """ROTATE of the group as it was seen, or (`final`) SET."""

    group: RedisState
    final: bool = False


def observe(context: RedisAuthContext) -> RedisAuthFacts:
    """One call, two when a token is asked for, and a command on the runner; none without Redis.

    Before a token is set: whose the group is, and who else uses it.
    """
    redis = context.stack.redis
    if redis is None or redis.auth_secret_arn is None:
        return RedisAuthFacts(redis, RedisState(""))
    state = context.elasticache.group(redis.replication_group)
    rotated = state.auth and context.elasticache.is_rotating(state.arn)
    if state.status != "available":
        return RedisAuthFacts(redis, state, rotated)
    if not state.auth or rotated:
        foreign = _foreign(context, redis, state)
        users = () if foreign else context.other_users.users(redis.host)
        older = () if state.auth else _older(context, state)
        return RedisAuthFacts(redis, state, rotated, foreign=foreign, users=users, older=older)
    login = _login(context, redis)
    hopeful = isinstance(login, RedisLogin) or (login is not None and login.passing)
    patient = hopeful and context.first_looks.within(SPREADING, "redis-auth", context.now())
    seen = RedisAuthFacts(redis, state, rotated, login, patient)
    if redis.replication_group not in context.redis_rotations or not isinstance(login, RedisLogin) or login.accepted:
        return seen
    foreign = _foreign(context, redis, state)
    users = () if foreign else context.other_users.users(redis.host)
    return replace(seen, foreign=foreign, users=users, asked=True)


def _older(context: RedisAuthContext, state: RedisState) -> tuple[str, ...]:
    names = {tenant.service_id: name for name, tenant in context.stack.tenants.items()}
    try:
        found = context.ecs.services(list(names)) if state.created else {}
    except OrchestratorError:
        return ()  # a remark is not worth a failure
    up = {names[name]: service.last_up for name, service in found.items()}
    return tuple(sorted(name for name, at in up.items() if at and state.created and at < state.created))


def _foreign(context: RedisAuthContext, redis: Redis, state: RedisState) -> str:
    """Why the group isn't the stack's own; empty: it is. AWS is asked for its tags where no state manages it."""
    stack, name = context.stack, redis.replication_group
    tags = {} if stack.ownership.manages(PartKind.REDIS, name) else context.elasticache.tags(state.arn)
    return stack.ownership.objection(PartKind.REDIS, name, stack.stack, tags)


def _login(context: RedisAuthContext, redis: Redis) -> RedisLogin | Unproven | None:
    """None: nothing goes through a runner here."""
    runner = context.stack.runner
    if runner is None or not context.needs_runner:
        return None
    return inside.login(context.ssm, runner.instance_id, redis, context.stack.region)


def decide(facts: RedisAuthFacts) -> Verdicts:
    """TLS first, then ROTATE, then SET, then the proof."""
    if facts.redis is None or facts.redis.auth_secret_arn is None:
        return {STACK: Done("the contract names no Redis token")}
    return {STACK: _verdict(facts, facts.redis.auth_secret_arn)}


def _verdict(facts: RedisAuthFacts, secret: str) -> Verdict:
    state, name = facts.state, facts.state.group
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
    if not facts.asked and (spared := facts.foreign or "; ".join(facts.users)):
        return Done(f"the token of {name} is left as it is: {spared}")
    if not state.auth:
        return Todo(f"set the token of {name}", TokenChange(state))
    if facts.rotated:
        return Todo(f"require the token at {name}", TokenChange(state, final=True))
    return _proof(facts, secret)


def _proof(facts: RedisAuthFacts, secret: str) -> Verdict:
    """What signing in has shown."""
    name, login = facts.state.group, facts.login
    if not isinstance(login, RedisLogin):
        if facts.patient and login is not None:
            return Wait(f"{name} requires a token; to try the secret's: {login.why}", "redis-token-not-proven", _TRY)
        return Done(f"{name} requires a token over TLS; not proven that it is the secret's")
    if login.accepted and not login.open:
        return Done(f"{name} accepts its secret's token, and no connection without it (tried over TLS)")
    if login.accepted:
        problem = Problem(
            "redis-open", f"{name} accepts the token, but also connections without one", name, _finish(name)
        )
    else:
        if facts.asked and not (facts.patient or facts.foreign or facts.users):
            return Todo(f"rotate the token of {name} to its secret's: it refuses that one", TokenChange(facts.state))
        message = f"{name} refuses the token of its secret: {login.said}"
        problem = Problem("redis-token-differs", message, name, _reconcile(name, secret))
    return Wait(problem.message, problem.code, problem.fix) if facts.patient else Blocked(problem)


_TRY = "check that the runner is online, may read the secret, and is admitted by Redis's security group"


def _finish(name: str) -> str:
    return (
        f"a ROTATE of {name} was never finished: once every client sends the token, modify-replication-group with "
        "--auth-token-update-strategy SET (give the token in a file: --cli-input-json file://…)"
    )


def _reconcile(name: str, secret: str) -> str:
    return (
        f"either the secret is old: put the token that {name} accepts into {secret} (put-secret-value, from a file); "
        f"or the secret is right: orchestrate run --only redis-auth --rotate-redis-token {name} (ROTATE, then SET: "
        "clients that still send the old token are refused afterwards)"
    )


def apply(context: RedisAuthContext, todos: Mapping[Subject, Todo]) -> None:
    """One ModifyReplicationGroup; the token goes from its store to ElastiCache and nowhere else."""
    redis = context.stack.redis
    assert redis is not None  # noqa: S101 - decided only with a Redis and its secret
    assert redis.auth_secret_arn is not None  # noqa: S101
    change: TokenChange = todos[STACK].payload
    token = held(context.secrets.value(redis.auth_secret_arn), redis.auth_secret_key or "", redis.auth_secret_arn)
    if change.final:
        context.elasticache.settle(change.group, token)
    else:
        context.elasticache.rotate(change.group, token)


def findings(facts: RedisAuthFacts) -> Iterable[Problem]:
    """That a token could not be tried, or is not set from here."""
    name = facts.state.group
    if isinstance(facts.login, Unproven) and not facts.patient:
        message = f"not proven that {name} requires its secret's token: {facts.login.why}"
        yield Problem("redis-token-not-proven", message, name, _TRY)
    if facts.older:
        message = (
            f"{name} was created at {facts.state.created:%Y-%m-%d %H:%M} UTC, and {', '.join(facts.older)} had been up "
        )
        message += "before: what the earlier Redis held (queued tasks, sessions) is gone; no backup includes it"
        fix = "none needed: Onyx refills it when its tasks run; everybody must sign in again"
        yield Problem("redis-data-gone", message, name, fix)
    if facts.foreign:
        message = f"the token of Redis group {name} is left as it is: {facts.foreign}"
        yield Problem("not-this-stacks", message, name, remedy(PartKind.REDIS, name))
    elif facts.users:
        message = f"setting the token of {name} would lock out others that use it: {'; '.join(facts.users)}"
        fix = "give the stack a Redis of its own, or remove `redis.auth_secret_arn` from the contract"
        yield Problem("used-by-others", message, name, fix)


STEP: Step[RedisAuthContext, RedisAuthFacts] = Step(
    id="redis-auth",
    title="Redis requires its token",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=1200,
    poll=10,
    findings=findings,
)
