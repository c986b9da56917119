"""`tenant-databases`: each tenant has its database, owned by its role, whose password is the one in its secret.

What was there before this program is not changed unasked, and no empty database is made where the full one may lie
under another name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.ecs import Ecs
from orchestrator.database import ownership
from orchestrator.database.marks import counts_for
from orchestrator.database.model import (
    ServerContents,
    WantedDatabase,
    identifier,
    missing,
    unowned,
    usable,
    wanted_of,
)
from orchestrator.database.ownership import OwnershipRules
from orchestrator.database.server import Server
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.stack.contract import Stack


class TenantDatabasesContext(Protocol):
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
    def database_rules(self) -> OwnershipRules:
        """What somebody asked for."""
        ...

    @property
    def ecs(self) -> Ecs:
        """Where services are read."""
        ...

    @property
    def rds(self) -> DbServers:
        """Where snapshots are read."""
        ...

    @property
    def databases_made(self) -> set[str]:
        """The run's memory for `redeploy`: tenants whose tasks may have started too early."""
        ...


@dataclass(frozen=True, slots=True)
class TenantDatabasesFacts:
    """What the tenants want and what the server holds.

    `lost`: tenants that have no database, or an empty one, though something tells of what it held, and what does;
    `existed`: those of them whose service was up with it, or could not be looked at; `backup`: the newest.
    """

    wanted: tuple[WantedDatabase, ...]
    seen: ServerContents
    rules: OwnershipRules = field(default_factory=OwnershipRules)
    lost: Mapping[str, str] = field(default_factory=dict)
    existed: frozenset[str] = frozenset()
    backup: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseToMake:
    """What a tenant wants, and whether its tasks did without: then they have to start again."""

    wanted: WantedDatabase
    was_missed: bool = True


def observe(context: TenantDatabasesContext) -> TenantDatabasesFacts:
    """One command or session for all tenants; of a database that is missing or empty, what ECS and RDS still know."""
    wanted = wanted_of(context.stack)
    seen = context.database.observe(wanted)
    gone = [one.tenant for one in wanted if one.database not in seen.databases]
    known = {one.tenant: "an earlier run created its role" for one in wanted if one.role in seen.role_marks}
    were_up = _were_up(context, [*gone, *_emptied(context, wanted, seen)])
    lost = {tenant: why for tenant, why in known.items() if tenant in gone} | (were_up or {})
    backup = _newest_backup(context) if lost else ""
    existed = frozenset(gone if were_up is None else were_up)
    return TenantDatabasesFacts(wanted, seen, context.database_rules, lost, existed, backup)


def _emptied(
    context: TenantDatabasesContext, wanted: Iterable[WantedDatabase], seen: ServerContents
) -> Iterable[Subject]:
    """Tenants whose database holds nothing, and was not made by this very run."""
    held = ((one.tenant, seen.holds.get(one.database)) for one in wanted if one.tenant not in context.databases_made)
    return [tenant for tenant, contents in held if contents and contents.objects == 0]


def _were_up(context: TenantDatabasesContext, tenants: Sequence[str]) -> dict[str, str] | None:
    """None: ECS can't be asked. The steps that need it say what it says."""
    names = {context.stack.tenants[tenant].service_id: tenant for tenant in tenants}
    try:
        found = context.ecs.services(list(names)) if names else {}
    except OrchestratorError:
        return None
    return {names[name]: f"{name} was up before" for name, service in found.items() if service.last_up}


def _newest_backup(context: TenantDatabasesContext) -> str:
    try:
        newest = context.rds.newest_snapshot(context.stack.database.server)
    except OrchestratorError:
        return "could not check whether there is a snapshot of it"
    if newest is None:
        return "RDS has no snapshot of this instance"
    return f"the newest snapshot is {newest.name} of {newest.taken:%Y-%m-%d %H:%M} UTC"


def decide(facts: TenantDatabasesFacts) -> Verdicts:
    """Per tenant: there, to be made, or not to be made."""
    return {one.tenant: _verdict(one, facts) for one in facts.wanted}


def _verdict(one: WantedDatabase, facts: TenantDatabasesFacts) -> Verdict:
    seen, rules = facts.seen, facts.rules
    if one.tenant in seen.unseen:
        return Unread(seen.unseen[one.tenant], one.tenant in seen.passing).verdict
    if one.tenant in seen.hindrances and seen.logins.get(one.tenant) != "ok":
        return Blocked(seen.hindrances[one.tenant])
    if problem := _unmakeable(one, seen):
        return Blocked(problem)
    if problem := _anothers(one, facts) or _renamed(one, facts) or _not_adopted(one, facts):
        return Blocked(problem, refused=True)
    if not ownership.database_is_ours(one, seen, rules):
        return Done(f"{one.database} exists, as it was found")
    lacks = missing(one, seen)
    marks = ownership.unmarked(one, seen, rules)
    changes = [f"set up {', '.join(lacks)}"] if lacks else []
    changes += [f"mark {', '.join(marks)} as this stack's"] if marks else []
    if changes:
        theirs = not one.is_admin and not ownership.role_is_ours(one, seen, rules)
        making = DatabaseToMake(replace(one, keeps_password=theirs), was_missed=not usable(one, seen))
        return Todo(", ".join(changes), making)
    return Done(f"{one.database} exists, owned by {one.role}")


def _unmakeable(one: WantedDatabase, seen: ServerContents) -> Problem | None:
    if one.tenant in seen.secrets:
        fix = f"check that {one.secret_arn} has a value and that the runner's role may read it"
        return Problem("tenant-secret-unreadable", seen.secrets[one.tenant], one.tenant, fix)
    if one.role not in seen.roles and not one.has_password:
        message = f"there is no role {one.role}, and its password is not known"
        fix = (
            "name the tenant's secret (`secret_arn`), or create the role by hand with the password that the tasks have"
        )
        return Problem("tenant-password-unknown", message, one.tenant, fix)
    if one.is_admin and seen.logins.get(one.tenant, "ok") != "ok":
        message = f"the tasks sign in as the admin user {one.role}, but with a password that is not the admin user's: "
        fix = "give the tasks the admin user's password, or a role of their own"
        return Problem("tenant-password-wrong", message + seen.logins[one.tenant], one.tenant, fix)
    return None


def _anothers(one: WantedDatabase, facts: TenantDatabasesFacts) -> Problem | None:
    found = ownership.anothers(one, facts.seen, {other.tenant for other in facts.wanted})
    if found is None:
        return None
    what, mark = found
    kind, _, name = what.partition(" ")
    fix = f"correct the contract; if its owner gave it up: COMMENT ON {kind.upper()} {identifier(name)} IS NULL"
    if mark.stack != one.stack:
        message = f"{what} is marked as stack {mark.stack}'s (tenant {mark.tenant})"
        return Problem("database-of-another-stack", message, one.tenant, fix)
    return Problem("database-of-another-tenant", f"{what} is marked as tenant {mark.tenant}'s", one.tenant, fix)


def _renamed(one: WantedDatabase, facts: TenantDatabasesFacts) -> Problem | None:
    existed = one.tenant in facts.existed
    return ownership.renamed(one, facts.wanted, facts.seen, facts.rules, existed=existed)


def _not_adopted(one: WantedDatabase, facts: TenantDatabasesFacts) -> Problem | None:
    """What was there before us is used where the tenant gets in, and only changed when somebody asks for it."""
    seen, rules = facts.seen, facts.rules
    adopt = f"--adopt-database {one.database}"
    lacks = missing(one, seen)
    if not ownership.database_is_ours(one, seen, rules):
        if not lacks or seen.logins.get(one.tenant) == "ok":
            return None
        message = f"{one.database} existed before orchestrate, and the tenant can't use it without {', '.join(lacks)}"
        return Problem(
            "database-not-adopted", message, one.tenant, f"repair that by hand, or let orchestrate do it: {adopt}"
        )
    if ownership.role_is_ours(one, seen, rules) or one.is_admin or not one.has_password:
        return None
    refused = seen.logins.get(one.tenant, "ok")
    if one.role in seen.roles and (refused == "ok" or not _is_password(lacks, one)):
        return None
    why = f"its password is not the secret's: {refused}" if one.role in seen.roles else "it may not log in"
    fix = f"store its real password in the tenant's secret, or give it the secret's: {adopt}"
    message = f"role {one.role} existed before orchestrate, and {why}"
    return Problem("role-not-adopted", message, one.tenant, fix)


def _is_password(lacks: Sequence[str], one: WantedDatabase) -> bool:
    return tuple(lacks) == (f"password of role {one.role}",)


def apply(context: TenantDatabasesContext, todos: Mapping[Subject, Todo]) -> None:
    """All that is missing, under the advisory lock. What one tenant is refused holds up no other.

    Whose tasks did without is remembered first: also of a change that fails half-way, or whose answer is lost.
    """
    makings: Mapping[Subject, DatabaseToMake] = {tenant: todo.payload for tenant, todo in todos.items()}
    context.databases_made.update(tenant for tenant, making in makings.items() if making.was_missed)
    context.database.ensure([making.wanted for making in makings.values()])


def findings(facts: TenantDatabasesFacts) -> Iterable[Problem]:
    """What was left as it is, and what is not there any more."""
    yield from _withheld(facts)
    yield from _gone(facts)
    yield from _unowned(facts)


def _withheld(facts: TenantDatabasesFacts) -> Iterable[Problem]:
    for one in facts.wanted:
        lacks = missing(one, facts.seen)
        ours = ownership.database_is_ours(one, facts.seen, facts.rules)
        if ours or not lacks or not isinstance(_verdict(one, facts), Done):
            continue
        message = f"{one.database} existed before orchestrate and stays as it is; withheld: {', '.join(lacks)}"
        fix = f"--adopt-database {one.database} makes these changes (or adopt-database in orchestrate.toml); "
        fix += "everything that connects through PUBLIC (BI, monitoring) first needs a GRANT CONNECT"
        yield Problem("database-not-adopted", message, one.tenant, fix)


def _gone(facts: TenantDatabasesFacts) -> Iterable[Problem]:
    for one in facts.wanted:
        elsewhere = ownership.candidates(one, facts.wanted, facts.seen, existed=one.tenant in facts.existed)
        if one.tenant not in facts.lost or elsewhere:
            continue
        why, fix = (
            facts.lost[one.tenant],
            "orchestrate backup --list, then orchestrate restore; or restore the snapshot of RDS",
        )
        if one.database in facts.seen.databases:
            message = f"{one.database} holds nothing although {why}: what it held is gone; {facts.backup}"
            yield Problem("database-data-gone", message, one.tenant, fix)
        elif isinstance(_verdict(one, facts), Todo):
            message = (
                f"{one.database} is missing although {why}: what it held is gone, and an empty database is created; "
            )
            yield Problem("database-data-gone", message + facts.backup, one.tenant, fix)


def _unowned(facts: TenantDatabasesFacts) -> Iterable[Problem]:
    """Databases no tenant owns any more: kept, and said. What holds anything is never spoken of as droppable."""
    marks = {other.tenant: other.mark for other in facts.wanted}
    ours = next(iter(marks.values()), None)
    for name in unowned(facts.wanted, facts.seen):
        mark, held = facts.seen.marks.get(name), facts.seen.holds.get(name)
        if mark and ours and counts_for(mark, ours) and mark.stack != ours.stack:
            continue  # another stack's, on a server that both use
        message = f"database {name} belongs to no tenant of this stack; it is kept"
        fix = f"when it is not needed: DROP DATABASE {identifier(name)}"
        if held is None:
            message, fix = f"{message}; it could not be inspected", "inspect it as its owner; it may hold data"
        elif held.objects:
            message += f"; it holds {held.objects} tables or other objects" + (f" of {mark.tenant}" if mark else "")
            fix = "find out whose data this is: back it up (pg_dump), or rename it to a tenant's database name"
        yield Problem("database-unowned", message, name, fix)


STEP: Step[TenantDatabasesContext, TenantDatabasesFacts] = Step(
    id="tenant-databases",
    title="each tenant has its database",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("database-server", "runner"),
    timeout=600,
    findings=findings,
)
