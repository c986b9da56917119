"""`tenant-databases`: each tenant has its database, owned by its role, whose password is the one in its secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.contract import Stack
from orchestrator.database.model import Observed, Server, Wanted, missing, unowned, usable, wanted_of
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts
from orchestrator.errors import Problem


class Context(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def database(self) -> Server:
        """The way to the PostgreSQL server."""
        ...

    @property
    def databases_made(self) -> set[str]:
        """The run's memory for `redeploy`: tenants whose tasks may have started too early."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tenants want and what the server holds."""

    wanted: tuple[Wanted, ...]
    seen: Observed


@dataclass(frozen=True, slots=True)
class Making:
    """What a tenant wants, and whether its tasks did without: then they have to start again."""

    wanted: Wanted
    was_missed: bool = True


def observe(context: Context) -> Facts:
    """One command or session for all tenants."""
    wanted = wanted_of(context.stack)
    return Facts(wanted, context.database.observe(wanted))


def decide(facts: Facts) -> Verdicts:
    """Per tenant: there, to be made, or not to be made for want of its secret."""
    return {one.tenant: _verdict(one, facts.seen) for one in facts.wanted}


def _verdict(one: Wanted, seen: Observed) -> Verdict:
    if one.tenant in seen.secrets:
        fix = f"check that {one.secret_arn} has a value and that the runner's role may read it"
        return Blocked(Problem("tenant-secret-unreadable", seen.secrets[one.tenant], one.tenant, fix))
    if one.role not in seen.roles and not one.has_password:
        message = f"there is no role {one.role}, and its password is not known"
        fix = "name the tenant's secret (`secret_arn`), or make the role by hand with the password the tasks have"
        return Blocked(Problem("tenant-password-unknown", message, one.tenant, fix))
    if one.is_admin and seen.logins.get(one.tenant, "ok") != "ok":
        message = f"the tasks sign in as the admin user {one.role}, with a password that is not its: "
        fix = "give the tasks the admin user's password, or a role of their own"
        return Blocked(Problem("tenant-password-wrong", message + seen.logins[one.tenant], one.tenant, fix))
    lacks = missing(one, seen)
    if lacks:
        return Todo(f"make {', '.join(lacks)}", Making(one, was_missed=not usable(one, seen)))
    return Done(f"{one.database} is there, owned by {one.role}")


def apply(context: Context, todos: Mapping[Subject, Todo]) -> None:
    """All that is missing in one session, under the advisory lock."""
    makings: Mapping[Subject, Making] = {tenant: todo.payload for tenant, todo in todos.items()}
    context.database.ensure([making.wanted for making in makings.values()])
    context.databases_made.update(tenant for tenant, making in makings.items() if making.was_missed)


def findings(facts: Facts) -> Iterable[Problem]:
    """Databases no tenant owns any more: kept, and said."""
    for name in unowned(facts.wanted, facts.seen):
        message = f"database {name} belongs to no tenant of the stack; it is kept"
        yield Problem("database-unowned", message, name, f'when it is not needed: DROP DATABASE "{name}"')


STEP: Step[Context, Facts] = Step(
    id="tenant-databases",
    title="each tenant has its database",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("database-server", "runner"),
    timeout=600,
    findings=findings,
)
