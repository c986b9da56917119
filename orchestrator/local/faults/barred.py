"""What a person sets in a server to keep a role out of its database, or from writing to it: each undone by itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from psycopg import sql

from orchestrator.local.faults import Fault, inside_database
from orchestrator.local.faults.inside_database import DatabaseUser
from orchestrator.local.faults.manual_changes import Console, Undo, meddled

GUIDE = "Database Issues"


def _execute(master: DatabaseUser, statement: str, role: str, database: str) -> None:
    names = {"role": sql.Identifier(role), "database": sql.Identifier(database)}
    with master.connect("postgres") as connection:
        connection.execute(sql.SQL(statement).format(**names))


def _set(name: str, title: str, statement: str, back: str) -> Fault:
    """`{role}` and `{database}` are the tenant's."""

    def meddle(console: Console) -> Iterator[Undo]:
        masters = dict(inside_database.masters(console.cloud))
        for _address, said in list(inside_database.environments(console.cloud, console.tenant)):
            master, role, database = masters[said["POSTGRES_HOST"]], said["POSTGRES_USER"], said["POSTGRES_DB"]
            _execute(master, statement, role, database)
            yield partial(_execute, master, back, role, database)

    return meddled(name, title, GUIDE, meddle)


FAULTS = (
    _set(
        "connect-revoked",
        "the tenant's role may not connect to its database",
        "REVOKE CONNECT ON DATABASE {database} FROM {role}",
        "GRANT CONNECT ON DATABASE {database} TO {role}",
    ),
    _set(
        "role-expired",
        "the password of the tenant's role has expired",
        "ALTER ROLE {role} VALID UNTIL '2020-01-01'",
        "ALTER ROLE {role} VALID UNTIL 'infinity'",
    ),
    _set(
        "role-without-login",
        "the tenant's role may not log in",
        "ALTER ROLE {role} NOLOGIN",
        "ALTER ROLE {role} LOGIN",
    ),
    _set(
        "role-without-connections",
        "the tenant's role is allowed no connections",
        "ALTER ROLE {role} CONNECTION LIMIT 0",
        "ALTER ROLE {role} CONNECTION LIMIT -1",
    ),
    _set(
        "database-closed",
        "the tenant's database accepts no connections",
        "ALTER DATABASE {database} ALLOW_CONNECTIONS false",
        "ALTER DATABASE {database} ALLOW_CONNECTIONS true",
    ),
    _set(
        "database-reads-only",
        "a setting makes every transaction of the tenant's database read-only",
        "ALTER DATABASE {database} SET default_transaction_read_only = on",
        "ALTER DATABASE {database} RESET default_transaction_read_only",
    ),
)
