"""The tenant's role has another password on the server than in its secret. Clearing the fault does not set it back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from psycopg import sql

from orchestrator.local.faults import inside_database
from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _change(console: Console) -> Iterator[Undo]:
    for address, environment in inside_database.environments(console.cloud, console.tenant):
        role, other = sql.Identifier(environment["POSTGRES_USER"]), sql.Literal(secrets.token_urlsafe(12))
        with inside_database.owner(address, environment).connect(environment["POSTGRES_DB"]) as connection:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, other))
        yield lambda: None


FAULT = meddled("database-password", "the tenant's password is not the one in its secret", "Database Issues", _change)
