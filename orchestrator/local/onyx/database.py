"""Onyx's side of PostgreSQL: a real connection with the task's real credentials, and the migration table.

Errors are given in the words of SQLAlchemy and psycopg2, which Onyx uses, around the server's own text.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from orchestrator.local.ec2 import reach
from orchestrator.local.onyx.services import TaskSurroundings

REVISIONS = (
    ("3c5e35aa9af0", "polling document count"),
    ("e50154680a5c", "no source enum"),
    ("2666d766cb9b", "google oauth2"),
    ("6d387b3196c2", "basic auth"),
    ("7da0ae5ad583", "add description to persona"),
    ("d929f0c1c6af", "feedback feature"),
    ("8e26726b7683", "chat context addition"),
    ("a570b80a5f20", "usergroup tables"),
    ("57b53544726e", "add document set tables"),
    ("b156fa702355", "chat reworked"),
    ("0a98909f2757", "enable encrypted fields"),
    ("9cf5c00f72fe", "add creator to cc pair"),
)
"""A handful of Onyx's migrations, oldest first."""
COPY_RECORD = "opensearch_tenant_migration_record"
COPY_REVISION = ("feead2911109", "add_opensearch_tenant_migration_columns")
"""Onyx 3 keeps there how far it has copied documents to OpenSearch."""
_COPY_TABLE = (
    "CREATE TABLE opensearch_tenant_migration_record (id SERIAL PRIMARY KEY, overall_document_migration_status VARCHAR "
    "NOT NULL DEFAULT 'pending', total_chunks_migrated INTEGER NOT NULL DEFAULT 0, total_chunks_errored INTEGER NOT "
    "NULL DEFAULT 0, approx_chunk_count_in_vespa INTEGER, migration_completed_at TIMESTAMPTZ, "
    "enable_opensearch_retrieval BOOLEAN NOT NULL DEFAULT false)"
)


class NoConnection(Exception):
    """No connection; the text is what Onyx logs."""


def connect(surroundings: TaskSurroundings, environment: Mapping[str, str]) -> psycopg.Connection:
    """The connection of Onyx's pool (TLS when the server has it). Raises Refused."""
    host, port = environment.get("POSTGRES_HOST", "127.0.0.1"), environment.get("POSTGRES_PORT", "5432")
    address = surroundings.cloud.addresses.find(host)
    if address is None:
        raise NoConnection(
            _operational(f'could not translate host name "{host}" to address: Name or service not known\n')
        )
    server = reach.database(host, surroundings.region)
    if not reach.may_connect(surroundings.region, surroundings.place, server, int(port)):
        raise NoConnection(
            _operational(
                f'connection to server at "{host}" ({address.ip}), port {port} failed: Connection timed out\n'
                "\tIs the server running on that host and accepting TCP/IP connections?\n"
            )
        )
    try:
        return psycopg.connect(
            host=address.ip,
            port=address.port,
            user=environment.get("POSTGRES_USER", "postgres"),
            password=environment.get("POSTGRES_PASSWORD", "password"),
            dbname=environment.get("POSTGRES_DB", "postgres"),
            sslmode="prefer",
            connect_timeout=5,
            autocommit=True,
            application_name="onyx-api",
        )
    except psycopg.OperationalError as error:
        raise NoConnection(_connection_failed(str(error), host, address.ip, port)) from None


def _connection_failed(text: str, host: str, ip: str, port: str) -> str:
    where = f'connection to server at "{host}" ({ip}), port {port} failed: '
    _, fatal, detail = text.partition("FATAL:")
    if fatal:
        return _operational(f"{where}FATAL:{detail.splitlines()[0]}\n")
    return _operational(
        f"{where}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"
    )


def _operational(text: str) -> str:
    link = "(Background on this error at: https://sqlalche.me/e/20/e3q8)"
    return f"sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) {text}\n{link}"


def in_sqlalchemys_words(error: psycopg.Error) -> str:
    """A statement that failed, as SQLAlchemy shows it."""
    kind = type(error).__name__
    return f"sqlalchemy.exc.ProgrammingError: (psycopg2.errors.{kind}) {error}"


def revisions_of(version: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """The migrations that this version of Onyx knows."""
    return (*REVISIONS, COPY_REVISION) if version[0] > 2 else REVISIONS


def pending(connection: psycopg.Connection, version: tuple[int, ...] = (2,)) -> list[tuple[str, str, str]]:
    """Upgrades still to run: from (empty at first), to, title. Creates the migration table.

    Raises psycopg.Error, and Refused for a revision that this version does not know.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    known = revisions_of(version)
    names = [revision for revision, _ in known]
    if row and row[0] not in names:
        raise NoConnection(
            f"alembic.util.exc.CommandError: Can't locate revision identified by '{row[0]}'\n"
            f"FAILED: Can't locate revision identified by '{row[0]}'"
        )
    done = names.index(row[0]) + 1 if row else 0
    befores = ["", *names]
    return [(befores[n], revision, title) for n, (revision, title) in enumerate(known) if n >= done]


FIRST_TABLE = "connector"
"""Made by the first migration, as Onyx's does: who comes second finds it there."""


def advance(connection: psycopg.Connection, before: str, revision: str) -> None:
    """The schema goes on to this revision. Raises psycopg.Error, and Refused when somebody else migrates too."""
    with connection.transaction():
        if not before:
            connection.execute(sql.SQL("CREATE TABLE {} (id SERIAL PRIMARY KEY)").format(sql.Identifier(FIRST_TABLE)))
            connection.execute("INSERT INTO alembic_version (version_num) VALUES (%s)", (revision,))
            return
        if revision == COPY_REVISION[0]:
            connection.execute(_COPY_TABLE.encode())
        update = "UPDATE alembic_version SET version_num = %s WHERE version_num = %s"
        if connection.execute(update, (revision, before)).rowcount != 1:
            raise NoConnection(
                f"alembic.util.exc.CommandError: Online migration expected to match one row when updating '{before}' "
                f"to '{revision}' in 'alembic_version'; 0 found"
            )


def forget_migrations(connection: psycopg.Connection) -> None:
    """The database is as if nothing had ever migrated it. Raises psycopg.Error."""
    with connection.transaction():
        connection.execute("DROP TABLE IF EXISTS alembic_version")
        for table in (FIRST_TABLE, COPY_RECORD):
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
