"""`database-stopped`: the RDS instance or Aurora cluster is stopped, once no task uses it, and says that it was paused.

A stopped instance can be neither modified nor snapshotted, and RDS starts it by itself after seven days. One with read
replicas can't be stopped: it stays up, and that is said. So it is with one that somebody else uses; one that isn't the
stack's own isn't even marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.rds import ELSEWHERE, ServerState
from orchestrator.aws.rds_statuses import COMING, USABLE
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.lifecycle.instance_owners import not_ours, part_of
from orchestrator.lifecycle.other_users import OtherUsers
from orchestrator.lifecycle.pause.in_use import busy, still_running
from orchestrator.lifecycle.pause_tags import TAG, Stamp
from orchestrator.stack.contract import Stack
from orchestrator.steps.database_server import missing

STAYS_STOPPED = timedelta(days=7)
"""RDS user guide, "Stopping an Amazon RDS DB instance temporarily"."""


class DatabaseStoppedContext(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def rds(self) -> DbServers:
        """RDS."""
        ...

    @property
    def counts(self) -> ServiceCounts:
        """ECS."""
        ...

    @property
    def stamp(self) -> Stamp:
        """Since when and by whom, of a pause that begins with this run."""
        ...

    @property
    def other_users(self) -> OtherUsers:
        """Who else is there."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseStoppedFacts:
    """`busy` are the services that have, or want, tasks. `foreign`: why it isn't the stack's own; empty: it is.

    `users` are others that use it; `unasked`: who is connected could not be checked. Both are known of one that runs.
    """

    server: ServerState
    busy: tuple[str, ...]
    stamp: Stamp
    foreign: str = ""
    users: tuple[str, ...] = ()
    unasked: bool = False


@dataclass(frozen=True, slots=True)
class TagServer:
    """Set the tag."""

    arn: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class StopServer:
    """Begin to stop it."""

    instance: str


def observe(context: DatabaseStoppedContext) -> DatabaseStoppedFacts:
    """Two calls for ten tenants; while it could be stopped, those that tell who else uses it: once a run."""
    stack = context.stack
    server = context.rds.server(stack.database.server)
    foreign = stack.ownership.objection(*stack.database.part, stack.stack, server.tags)
    asked = not foreign and server.status == "available" and not server.unstoppable
    sessions = context.other_users.strangers() if asked else ()
    users = (*context.other_users.users(stack.database.host), *(sessions or ())) if asked else ()
    return DatabaseStoppedFacts(server, busy(stack, context.counts), context.stamp, foreign, users, sessions is None)


def decide(facts: DatabaseStoppedFacts) -> Verdicts:
    """The stack's one verdict."""
    return {STACK: _verdict(facts)}


def _verdict(facts: DatabaseStoppedFacts) -> Verdict:
    server, name = facts.server, facts.server.instance
    if server.kind == ELSEWHERE:
        return Done(f"{name} is left as it is: {server.unstoppable}")
    if not server.status:
        return Blocked(missing(server))
    if facts.foreign:
        return Done(f"{name} is left as it is: {facts.foreign}")
    if facts.busy:
        return Blocked(still_running(facts.busy, name))
    if Stamp.parse(server.tags.get(TAG, "")) is None:
        return Todo(f"mark {name} as paused", TagServer(server.arn, facts.stamp))
    return _stopped(facts)


def _stopped(facts: DatabaseStoppedFacts) -> Verdict:
    """Of one that is marked."""
    server, name = facts.server, facts.server.instance
    if server.unstoppable:
        return Done(f"{name} stays up: {server.unstoppable}")
    if server.status == "stopped":
        return Done(f"{name} is stopped; RDS starts it by itself at {restarts(server)}")
    if server.status == "available" and facts.users:
        return Done(f"{name} stays up: {'; '.join(facts.users)}")
    if server.status == "available":
        return Todo(f"stop {name}", StopServer(name))
    if server.status in COMING | USABLE | {"stopping"}:
        fix = "RDS stops an available server only: look at its events"
        return Wait(f"{name} is {server.status}", "database-server-not-available", fix, poll=10)
    fix = "look at the instance's events in RDS; it stays as it is, and keeps costing money"
    return Blocked(Problem(f"database-server-{server.status}", f"{name} is {server.status}", name, fix))


def restarts(server: ServerState) -> str:
    """When RDS will start it (UTC): as RDS says, else a week after it was marked."""
    stamp = Stamp.parse(server.tags.get(TAG, ""))
    if server.restarts is not None:
        return server.restarts.isoformat(timespec="minutes")
    return (stamp.at + STAYS_STOPPED).isoformat(timespec="minutes") if stamp else "an unknown time"


def apply(context: DatabaseStoppedContext, todos: Mapping[Subject, Todo]) -> None:
    """One call."""
    match todos[STACK].payload:
        case TagServer(arn, stamp):
            context.rds.tag(arn, TAG, str(stamp))
        case StopServer(instance):
            context.rds.stop(instance)


def findings(facts: DatabaseStoppedFacts) -> Iterable[Problem]:
    """What a stopped instance is like, and what to do before it starts again; or why it isn't stopped."""
    server = facts.server
    if facts.foreign:
        yield not_ours(*part_of(server), facts.foreign)
    elif facts.users:
        fix = "pause those first, or move them to a server of their own; then run orchestrate pause again"
        message = f"others use it, so it keeps costing money: {'; '.join(facts.users)}"
        yield Problem("used-by-others", message, server.instance, fix)
    elif facts.unasked:
        fix = "check pg_stat_activity yourself, or give the runner a route to the database"
        message = "it could not be checked who is connected: only ECS was searched for other users"
        yield Problem("users-not-asked", message, server.instance, fix)
    elif server.status == "stopped":
        message = (
            f"RDS starts {server.instance} by itself at {restarts(server)} (after seven days); "
            "until then it can be neither modified nor snapshotted"
        )
        fix = (
            "orchestrate pause --keep-paused stops it again (a daily job may call it); orchestrate resume before apply"
        )
        yield Problem("database-starts-by-itself", message, server.instance, fix)
    elif server.unstoppable and not facts.busy:
        fix = "delete the read replicas if it should be stopped" if server.replicas else "none needed: budget for it"
        yield Problem("database-not-stoppable", f"{server.instance} keeps costing money", server.instance, fix)


STEP: Step[DatabaseStoppedContext, DatabaseStoppedFacts] = Step(
    id="database-stopped",
    title="the database server is stopped",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("services-at-zero",),
    timeout=1800,
    poll=10,
    findings=findings,
)
