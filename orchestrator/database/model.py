"""What each tenant needs in the PostgreSQL server, what is there, and the SQL in between. Pure.

Names come from the contract, where `contract.identifier` has validated them; they are quoted all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pydantic import SecretStr

from orchestrator.contract import PASSWORD_KEY, Stack

LOCK_KEY = 0x6F6E_7978
"""Advisory lock held around every look-then-create (`onyx`): without it, 19 of 20 creators get 23505 (measured)."""

SYSTEM_DATABASES = frozenset({"postgres", "rdsadmin", "template0", "template1"})

_BUSY = ("the database system is", "too many", "connection slots are reserved", "terminating connection")
"""FATAL too, but about the server's state: it starts up, shuts down, or has no connection left."""

READONLY_ROLE = "db_readonly_user"
"""Onyx's migrations make this role unless it exists; made first, tenants need no CREATEROLE."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One tenant's database, its owner role, and where the role's password is: a secret (ARN), or known in memory.

    `secret_key` as in the contract. `is_admin`: the role is the server's admin user, and only used, never changed.
    """

    tenant: str
    database: str
    role: str
    secret_arn: str | None
    secret_key: str = PASSWORD_KEY
    password: SecretStr | None = None
    is_admin: bool = False

    @property
    def has_password(self) -> bool:
        """Whether the role's password can be had."""
        return self.secret_arn is not None or self.password is not None


def wanted_of(stack: Stack) -> tuple[Wanted, ...]:
    """The contract's tenants as the database sees them."""
    admin = stack.database.admin_user
    return tuple(
        Wanted(name, it.database, it.role, it.secret_arn, it.secret_key, it.password, it.role == admin)
        for name, it in stack.tenants.items()
    )


@dataclass(frozen=True, slots=True)
class Observed:
    """What the server holds. `logins`: per tenant, "ok" or why its role could not sign in to its database.

    `open` are the databases that every role may enter.
    """

    databases: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    logins: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Per tenant whose secret can't be read: why."""
    open: frozenset[str] = frozenset()


class Server(Protocol):
    """A way to the PostgreSQL server."""

    def observe(self, wanted: Sequence[Wanted]) -> Observed:
        """Read what is there, in one session."""
        ...

    def count(self, table: str, wanted: Sequence[Wanted]) -> Mapping[str, int | None]:
        """Rows of a tenant's own table, asked as its own role; None where there is none, or nobody answers."""
        ...

    def ensure(self, wanted: Sequence[Wanted]) -> None:
        """Make roles, passwords and databases as wanted, in one session, under the advisory lock."""
        ...


def missing(one: Wanted, seen: Observed) -> tuple[str, ...]:
    """What has to be made for this tenant, in words; empty when all is there."""
    lacks = []
    if one.role not in seen.roles:
        lacks.append(f"role {one.role}")
    if one.database not in seen.databases:
        lacks.append(f"database {one.database}")
    elif seen.databases[one.database] != one.role:
        lacks.append(f"ownership of {one.database} (now {seen.databases[one.database]})")
    if one.database in seen.open:
        lacks.append(f"{one.database} private (every role may enter it)")
    if not lacks and one.has_password and seen.logins.get(one.tenant) != "ok":
        lacks.append(f"password of role {one.role}")
    return tuple(lacks)


def usable(one: Wanted, seen: Observed) -> bool:
    """Whether the tenant's tasks find what they need: they never miss that others may not enter."""
    return not missing(one, replace(seen, open=frozenset()))


def unowned(wanted: Sequence[Wanted], seen: Observed) -> tuple[str, ...]:
    """Databases in the server that no tenant of the stack owns: reported, never dropped."""
    return tuple(sorted(seen.databases.keys() - {one.database for one in wanted} - SYSTEM_DATABASES))


def changeable(wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """Those whose role is ours to make and to give its password."""
    return tuple(one for one in wanted if one.has_password and not one.is_admin)


def answered(refusal: str) -> bool:
    """Whether a refused login is the server's answer about role, password or database, by libpq's text.

    libpq gives no SQLSTATE for a connection that failed; what a server says is marked FATAL (untranslated on RDS).
    """
    return "FATAL" in refusal and not any(text in refusal for text in _BUSY)


def literal(text: str) -> str:
    """`text` as an SQL string literal (standard_conforming_strings is on since PostgreSQL 9.1)."""
    return "'" + text.replace("'", "''") + "'"


def observation(wanted: Sequence[Wanted]) -> str:
    """One SELECT that gives one JSON object.

    `databases` (name → owner), `roles` (those of ours that can log in), `open` (databases that PUBLIC may enter).
    """
    names = ", ".join(literal(one.role) for one in wanted)
    return (
        "SELECT json_build_object("
        "'databases', (SELECT json_object_agg(datname, pg_get_userbyid(datdba)) FROM pg_database WHERE datallowconn), "
        "'roles', (SELECT coalesce(json_agg(rolname), '[]') FROM pg_roles WHERE rolcanlogin "
        f"AND rolname IN ({names})), "
        "'open', (SELECT coalesce(json_agg(datname), '[]') FROM pg_database "
        "WHERE datallowconn AND has_database_privilege('public', oid, 'CONNECT')))"
    )


def counting(table: str) -> str:
    """How many rows a table of the tenant's database has. `table` is a name of ours, never somebody's input."""
    return f'SELECT count(*) FROM "{table}"'


def generators(wanted: Sequence[Wanted], verifiers: Mapping[str, str]) -> Iterator[str]:
    """SELECTs whose rows are the statements to run, as psql's `gexec` does. Each gives no row where nothing is to do.

    `verifiers`: per tenant the SCRAM verifier of the role's password, so that no clear password reaches the server;
    none for a tenant whose role stays as it is.
    CREATE DATABASE can't run in a transaction; template0 because a busy template1 costs 5 s and 55006 (measured).
    """
    yield _unless_role(READONLY_ROLE, f"CREATE ROLE {READONLY_ROLE} NOLOGIN")
    for one in wanted:
        role, database = literal(one.role), literal(one.database)
        if one.tenant in verifiers:
            yield _unless_role(one.role, "CREATE ROLE %I", one.role)
            yield f"SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', {role}, {literal(verifiers[one.tenant])})"
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
        yield f"SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', {database})"


def beside(database: str) -> str:
    """Where a dump is loaded before it takes the database's place; a name of PostgreSQL's has 63 bytes at most."""
    return f"orchestrate_restoring_{hashlib.sha256(database.encode()).hexdigest()[:16]}"


def exchange(one: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Statements for the admin user: what makes an empty database beside the tenant's, and what puts it in its place.

    Cut short anywhere it begins anew: the old one goes when the new one is whole.
    """
    old, new, role = identifier(one.database), identifier(beside(one.database)), identifier(one.role)
    before = (
        f"DROP DATABASE IF EXISTS {new} WITH (FORCE);",
        f"CREATE DATABASE {new} OWNER {role} TEMPLATE template0;",
        f"REVOKE CONNECT ON DATABASE {new} FROM PUBLIC;",
    )
    after = (f"DROP DATABASE IF EXISTS {old} WITH (FORCE);", f"ALTER DATABASE {new} RENAME TO {old};")
    return before, after


def identifier(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _unless_role(role: str, statement: str, *names: str) -> str:
    arguments = "".join(f", {literal(name)}" for name in names)
    condition = f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(role)})"
    return f"SELECT format({literal(statement)}{arguments}) {condition}"
