"""What each tenant needs in the PostgreSQL server, what is there, and the SQL in between. Pure.

Names come from the contract, where `names.identifier` has validated them; they are quoted all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from orchestrator.database import contents, hindrances, marks
from orchestrator.database.contents import DatabaseContents
from orchestrator.database.marks import Mark
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.stack.contract import Stack
from orchestrator.stack.values import PASSWORD_KEY

LOCK_WAIT = 10
"""Seconds that a statement waits for somebody else's lock: then its tenant has failed, and the others go on."""

LOCK_KEY = 0x6F6E_7978
"""Advisory lock held around every look-then-create (`onyx`): without it, 19 of 20 creators get 23505 (measured)."""

SYSTEM_DATABASES = frozenset({"postgres", "rdsadmin", "template0", "template1"})

_BUSY = ("the database system is", "too many clients", "connection slots are reserved", "terminating connection")
"""FATAL too, but about the server's state: it starts up, shuts down, or has no connection left."""

READONLY_ROLE = "db_readonly_user"
"""Onyx's migrations make this role unless it exists; made first, tenants need no CREATEROLE."""


def literal(text: str) -> str:
    """`text` as an SQL string literal (standard_conforming_strings is on since PostgreSQL 9.1)."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class WantedDatabase:
    """One tenant's database, its owner role, and where the role's password is: a secret (ARN), or known in memory.

    `secret_key` as in the contract. `is_admin`: the role is the server's admin user, and only used, never changed.
    `keeps_password`: the role was there before us, and its password is left as it is.
    """

    tenant: str
    database: str
    role: str
    secret_arn: str | None
    secret_key: str = PASSWORD_KEY
    password: SecretStr | None = None
    is_admin: bool = False
    stack: str = ""
    server: str = ""
    keeps_password: bool = False

    @property
    def mark(self) -> Mark:
        """What tells that its database and role are this stack's, in the server itself."""
        return Mark(self.stack, self.tenant, self.server)

    @property
    def has_password(self) -> bool:
        """Whether the role's password can be had."""
        return self.secret_arn is not None or self.password is not None


def wanted_of(stack: Stack) -> tuple[WantedDatabase, ...]:
    """The contract's tenants as the database sees them."""
    admin, whose = stack.database.admin_user, (stack.stack, stack.database.host)
    return tuple(
        WantedDatabase(name, it.database, it.role, it.secret_arn, it.secret_key, it.password, it.role == admin, *whose)
        for name, it in stack.tenants.items()
    )


@dataclass(frozen=True, slots=True)
class ServerContents:
    """What the server holds. `logins`: per tenant, "ok" or why its role could not sign in to its database.

    `open` are the databases that every role may enter.
    """

    databases: Mapping[str, str] = field(default_factory=dict)
    """Name → owner, of those too that take no connections: they hold data."""
    roles: frozenset[str] = frozenset()
    logins: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Per tenant whose secret can't be read: why."""
    open: frozenset[str] = frozenset()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """Of databases."""
    role_marks: Mapping[str, Mark] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    """The roles of ours that are there, those too that can't log in."""
    as_made: frozenset[str] = frozenset()
    """Databases with the owner and the grants that this program gives: its versions before the marks left none."""
    holds: Mapping[str, DatabaseContents | None] = field(default_factory=dict)
    """What is in the tenants' databases and in those that no tenant owns; None: nobody could look."""
    unseen: Mapping[str, Problem] = field(default_factory=dict)
    """Per tenant that could not be looked at: why. Of it nothing is known, and nothing may be changed."""
    passing: frozenset[str] = frozenset()
    """Those of them for whom it may pass by itself."""
    hindrances: Mapping[str, Problem] = field(default_factory=dict)
    """Per tenant whose role is kept out by something that a person set: what, and how it is undone."""
    read_only: frozenset[str] = frozenset()
    """Tenants for whom a setting makes every transaction read-only."""
    closed: frozenset[str] = frozenset()
    """Databases that take no connections, from nobody."""


def observed(
    said: Mapping[str, Any],
    logins: Mapping[str, str],
    secrets: Mapping[str, str],
    holds: Mapping[str, Mapping[str, Any] | None],
    failures: Mapping[str, OrchestratorError],
    *,
    wanted: Sequence[WantedDatabase] = (),
) -> ServerContents:
    """From `observation`'s answer, and what the sessions of tenants and the looks into databases gave.

    `failures`, by tenant: why it could not be looked at.
    """
    hindered = said.get("hindrances") or {}

    def marked(key: str) -> dict[str, Mark]:
        found = {name: marks.read(line) for name, line in (said.get(key) or {}).items()}
        return {name: mark for name, mark in found.items() if mark}

    return ServerContents(
        databases=said["databases"],
        closed=frozenset(said.get("closed") or ()),
        roles=frozenset(said["roles"]),
        logins={
            tenant: "ok" if hindrances.let_in(hindered.get(tenant) or {}, login) else login
            for tenant, login in logins.items()
        },
        secrets=secrets,
        open=frozenset(said["open"]),
        marks=marked("marks"),
        role_marks=marked("role_marks"),
        present=frozenset(said.get("present") or ()),
        as_made=frozenset(said.get("as_made") or ()),
        holds={name: contents.held(one) for name, one in holds.items()},
        unseen={tenant: error.problems[0] for tenant, error in failures.items()},
        passing=frozenset(tenant for tenant, error in failures.items() if isinstance(error, Transient)),
        hindrances={
            one.tenant: problem
            for one in wanted
            if (problem := hindrances.of(hindered.get(one.tenant) or {}, logins.get(one.tenant, ""), *_named(one)))
        },
        read_only=frozenset(tenant for tenant, facts in hindered.items() if hindrances.reads_only(facts)),
    )


def _named(one: WantedDatabase) -> tuple[str, str, str]:
    return one.tenant, one.role, one.database


def missing(one: WantedDatabase, seen: ServerContents) -> tuple[str, ...]:
    """What has to be made for this tenant, in words; empty when all is there."""
    lacks = []
    if one.role not in seen.roles:
        lacks.append(f"role {one.role}")
    if one.database not in seen.databases:
        lacks.append(f"database {one.database}")
    elif seen.databases[one.database] != one.role:
        lacks.append(f"ownership of {one.database} (now {seen.databases[one.database]})")
    if one.database in seen.open:
        lacks.append(f"{one.database} private (every role may connect to it)")
    if not lacks and one.has_password and seen.logins.get(one.tenant) != "ok":
        lacks.append(f"password of role {one.role}")
    return tuple(lacks)


def usable(one: WantedDatabase, seen: ServerContents) -> bool:
    """Whether the tenant's tasks find what they need: they never miss that others may not enter."""
    return not missing(one, replace(seen, open=frozenset()))


def unowned(wanted: Sequence[WantedDatabase], seen: ServerContents) -> tuple[str, ...]:
    """Databases in the server that no tenant of the stack owns: reported, never dropped."""
    return tuple(sorted(seen.databases.keys() - {one.database for one in wanted} - SYSTEM_DATABASES))


def changeable(one: WantedDatabase) -> bool:
    """Whether its role is ours to make and to give its password."""
    return one.has_password and not one.is_admin and not one.keeps_password


def answered(refusal: str) -> bool:
    """Whether a refused login is the server's answer about role, password or database, by libpq's text.

    libpq gives no SQLSTATE for a connection that failed; what a server says is marked FATAL (untranslated on RDS).
    """
    return "FATAL" in refusal and not any(text in refusal for text in _BUSY)


_PEOPLES = "datname <> 'template0'"
"""Whatever its settings say, any other may hold data."""
_OPEN = "datallowconn AND has_database_privilege('public', oid, 'CONNECT')"
_PLAIN = "NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)"
_OTHERS = f"""SELECT FROM aclexplode(datacl) WHERE CASE grantee WHEN 0 THEN privilege_type <> 'TEMPORARY'
WHEN datdba THEN false ELSE pg_get_userbyid(grantee) <> {literal(READONLY_ROLE)} END"""
_AS_MADE = f"""datacl IS NOT NULL AND NOT EXISTS ({_OTHERS})
AND (rolname = current_user OR ({_PLAIN} AND pg_has_role(rolname, 'MEMBER')))"""


def observation(
    wanted: Sequence[WantedDatabase], elsewhere: Sequence[WantedDatabase] = (), *, strangers: bool = True
) -> str:
    """One SELECT that gives one JSON object.

    `databases` (name → owner), `closed` (those that take no connections), `roles` (those of ours that can log in),
    `present` (all of ours), `open` (databases that PUBLIC may enter), `as_made` (see `ServerContents`), `marks` and
    `role_marks` (name → the mark's line).
    Databases and roles of the tenants that are looked at `elsewhere` are left out; and those of no tenant, unless
    `strangers` are asked for too.
    """
    roles = {one.role for one in wanted}
    ours, others = _among("rolname", roles), _among("rolname", {one.role for one in elsewhere} - roles)
    mine, theirs = (_among("datname", {one.database for one in some}) for some in (wanted, elsewhere))
    databases = f"{_PEOPLES} AND {f'NOT {theirs}' if strangers else mine}"
    parts = {
        "databases": f"(SELECT coalesce(json_object_agg(datname, pg_get_userbyid(datdba)), '{{}}') FROM pg_database "
        f"WHERE {databases})",
        "closed": _names("datname", "pg_database", f"NOT datallowconn AND {databases}"),
        "roles": _names("rolname", "pg_roles", f"rolcanlogin AND {ours}"),
        "present": _names("rolname", "pg_roles", ours),
        "open": _names("datname", "pg_database", f"{_OPEN} AND {databases}"),
        "as_made": _names(
            "datname", "pg_database JOIN pg_roles ON pg_roles.oid = datdba", f"{_AS_MADE} AND {databases}"
        ),
        "marks": _marks("DATABASE", "pg_database", databases),
        "role_marks": _marks("ROLE", "pg_roles", f"NOT {others}" if strangers else ours),
        "hindrances": hindrances.query(
            [(literal(one.tenant), literal(one.role), literal(one.database)) for one in wanted]
        ),
    }
    return f"SELECT json_build_object({', '.join(f'{literal(key)}, {part}' for key, part in parts.items())})"


def _among(column: str, names: Collection[str]) -> str:
    """True where a column's value is one of these."""
    return f"{column} IN ({', '.join(map(literal, sorted(names)))})" if names else "false"


def _names(column: str, source: str, condition: str) -> str:
    return f"(SELECT coalesce(json_agg({column}), '[]') FROM {source} WHERE {condition})"


def _marks(kind: marks.Kind, source: str, condition: str) -> str:
    column, line = marks.CATALOGUES[kind][1], marks.line_of(kind, "oid")
    marked = f"{line} IS NOT NULL AND {condition}"
    return f"(SELECT coalesce(json_object_agg({column}, {line}), '{{}}') FROM {source} WHERE {marked})"


LOCKING = (f"SELECT pg_advisory_lock({LOCK_KEY})", f"SET lock_timeout = '{LOCK_WAIT}s'")
"""What a session that makes something begins with: a run beside ours is waited for, somebody's lock is not."""


def generators(one: WantedDatabase, verifier: str | None) -> Iterator[str]:
    """SELECTs whose rows are the statements to run, as psql's `gexec` does. Each gives no row where nothing is to do.

    `verifier`: the SCRAM verifier of the role's password, so that no clear password reaches the server; None for a
    role that stays as it is.
    CREATE DATABASE can't run in a transaction; template0 because a busy template1 costs 5 s and 55006 (measured).
    """
    yield _unless_role(READONLY_ROLE, f"CREATE ROLE {READONLY_ROLE} NOLOGIN")
    role, database, line = literal(one.role), literal(one.database), literal(one.mark.line)
    if verifier is not None:
        yield from _role(one, literal(verifier), line)
    if not one.is_admin:
        yield f"SELECT format('GRANT %I TO CURRENT_USER', {role})"
    yield (
        f"SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', {database}, {role}) "
        f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {database})"
    )
    yield (
        f"SELECT format('ALTER DATABASE %I OWNER TO %I', {database}, {role}) FROM pg_database "
        f"WHERE datname = {database} AND pg_get_userbyid(datdba) <> {role}"
    )
    yield marks.setting("DATABASE", database, line)
    yield f"SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', {database})"


def _role(one: WantedDatabase, verifier: str, line: str) -> Iterator[str]:
    """A role that is there gets its password and its mark; one that isn't is made with both, or not at all."""
    role, there = literal(one.role), f"FROM pg_roles WHERE rolname = {literal(one.role)}"
    yield f"SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', {role}, {verifier}) {there}"
    yield marks.setting("ROLE", role, line)
    yield (
        f"SELECT format('CREATE ROLE %I LOGIN PASSWORD %L; COMMENT ON ROLE %I IS %L', {role}, {verifier}, {role}, "
        f"{line}) WHERE NOT EXISTS (SELECT {there})"
    )


def beside(database: str) -> str:
    """Where a dump is loaded before it takes the database's place; a name of PostgreSQL's has 63 bytes at most."""
    return f"orchestrate_restoring_{hashlib.sha256(database.encode()).hexdigest()[:16]}"


def exchange(one: WantedDatabase) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Statements for the admin user: what makes an empty database beside the tenant's, and what puts it in its place.

    Cut short anywhere it starts over: the old one goes when the new one is whole.
    """
    old, new, role = identifier(one.database), identifier(beside(one.database)), identifier(one.role)
    before = (
        f"DROP DATABASE IF EXISTS {new} WITH (FORCE);",
        f"CREATE DATABASE {new} OWNER {role} TEMPLATE template0;",
        f"REVOKE CONNECT ON DATABASE {new} FROM PUBLIC;",
    )
    after = (
        f"DROP DATABASE IF EXISTS {old} WITH (FORCE);",
        f"ALTER DATABASE {new} RENAME TO {old};",
        f"COMMENT ON DATABASE {old} IS {literal(one.mark.line)};",
    )
    return before, after


def identifier(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _unless_role(role: str, statement: str) -> str:
    return f"SELECT {literal(statement)} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(role)})"
