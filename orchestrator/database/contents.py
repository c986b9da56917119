"""What a database holds, as far as must be known before one is made beside it or a DROP is spoken of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPTIONS = "-c default_transaction_read_only=on -c search_path=pg_catalog -c statement_timeout=10000"
"""Of the session that looks into somebody's database: it can change nothing, and runs nothing that is found there."""

APPLICATION = "alembic_version"
"""The table that each of the application's databases has."""

LOOK = (
    "SELECT json_build_object('objects', (SELECT count(*) FROM pg_class JOIN pg_namespace "
    "ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'p', 'f', 'm', 'v', 'S') "
    "AND nspname <> 'information_schema' AND nspname !~ '^pg_') + (SELECT count(*) FROM pg_largeobject_metadata), "
    f"'application', EXISTS (SELECT FROM pg_class WHERE relname = '{APPLICATION}' AND relkind = 'r'))"
)
"""One SELECT that gives one JSON object, in the database it is asked in: a `DatabaseContents`."""


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """How many tables, views, sequences and large objects of people's it has; whether the application's are there."""

    objects: int
    application: bool


def held(said: Mapping[str, Any] | None) -> DatabaseContents | None:
    """From `LOOK`'s answer; None: nobody could look."""
    return DatabaseContents(int(said["objects"]), bool(said["application"])) if said else None
