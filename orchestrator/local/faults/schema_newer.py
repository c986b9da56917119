"""The tenant's schema was migrated by a newer version than the one that runs: after a rollback, or a restored image."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults import inside_database
from orchestrator.local.faults.inside_database import DatabaseUser
from orchestrator.local.faults.manual_changes import Console, Undo, meddled

NEWER = "f32615f71aeb"


def _migrate(console: Console) -> Iterator[Undo]:
    for address, environment in inside_database.environments(console.cloud, console.tenant):
        login, database = inside_database.owner(address, environment), environment["POSTGRES_DB"]
        with login.connect(database) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        _stamp(login, database, NEWER)
        yield lambda login=login, database=database, row=row: _stamp(login, database, row[0])  # type: ignore[misc]


def _stamp(login: DatabaseUser, database: str, revision: str) -> None:
    with login.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))


FAULT = meddled("schema-newer", "the schema is newer than the application", "Database Issues", _migrate)
