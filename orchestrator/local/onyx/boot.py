"""How Onyx's api container boots: alembic on the real database, then its search indexes, Redis and the file store.

Onyx 2 waits for Vespa, Onyx 3 for Vespa and OpenSearch, Onyx 4 for OpenSearch (for Vespa too where ONYX_DISABLE_VESPA
is false), Onyx Lite (DISABLE_VECTOR_DB, CACHE_BACKEND, FILE_STORE_BACKEND) for none of them. From 4.1.5 on it refuses
to start without USER_AUTH_SECRET. As read in the source of Onyx up to v4.6.1: no image of Onyx ran here.

`alembic upgrade head && uvicorn onyx.main:app`: a failing migration ends the container with 1, a failing start-up of
the application with uvicorn's 3; `alembic upgrade head` alone ends it with 0 once the schema is migrated. What is
missing is found by really asking for it (database.py, services.py). Left out: the 260 other migrations, and the role
and extensions that some of them create.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Mapping, Sequence

import psycopg

from orchestrator.local.ecs.tasks import ContainerExit, fault_is_on
from orchestrator.local.onyx import database, opensearch, services
from orchestrator.local.onyx.fatal_logs import FATAL_LOGS
from orchestrator.local.onyx.services import TaskSurroundings, Unavailable

Environment = Mapping[str, str]
__all__ = ["Api", "Environment", "TaskSurroundings"]

IMPORTS = 8.0
"""Seconds Python needs before alembic's first word."""
MIGRATING = 45.0
SLOW_MIGRATING, SLOWEST_MIGRATING = 600.0, 7200.0
"""Seconds that all migrations take together, on a small server and on a starved one."""
RETRY = 5.0
ATTEMPTS = 20
"""How often the application asks Vespa and Redis at start-up before it gives up."""
OPENSEARCH_ATTEMPTS = 10
SIGNS = (4, 1, 5)
"""From this version on sessions are signed with USER_AUTH_SECRET, and an empty one is refused."""
MIGRATION_FAILED, STARTUP_FAILED = 1, 3
HUNG_UP = (
    "sqlalchemy.exc.OperationalError: (psycopg2.errors.AdminShutdown) terminating connection due to administrator "
    "command; server closed the connection unexpectedly"
)


class Api:
    """The api container of one task."""

    def __init__(
        self,
        surroundings: TaskSurroundings,
        environment: Environment,
        container: str,
        write: Callable[[Sequence[str]], None],
        version: tuple[int, ...] = (2,),
        *,
        serves: bool = True,
    ) -> None:
        self.container = container
        self._serves = serves
        self._version = version
        self.is_up = False
        self._surroundings = surroundings
        self._environment = environment
        self._write = write
        self._connection: psycopg.Connection | None = None

    def boot(self) -> Iterator[float]:
        """Yields AWS's seconds to wait; raises ContainerExit where Onyx would die. Afterwards it serves."""
        yield IMPORTS
        self._end_with_fatal_log()
        yield from self._migrate()
        if not self._serves:
            raise ContainerExit(self.container, 0)
        if self._version >= SIGNS and not self._environment.get("USER_AUTH_SECRET"):
            self._die(STARTUP_FAILED, "ValueError: USER_AUTH_SECRET is empty")
        if self._needs_vespa():
            yield from self._wait_for("Vespa", lambda: services.ask_vespa(self._surroundings, self._environment))
        if self._has_index() and self._version[0] > 2:
            yield from self._wait_for_opensearch()
        if not self._keeps("CACHE_BACKEND"):
            yield from self._wait_for("Redis", lambda: services.ask_redis(self._surroundings, self._environment))
        if not self._keeps("FILE_STORE_BACKEND"):
            yield from self._file_store()
        self.is_up = True
        self._write(("INFO:     Application startup complete.", "INFO:     Uvicorn running on http://0.0.0.0:8080"))

    def watch(self) -> None:
        """The pool's connection is still alive; a server that hung up ends the process."""
        connection = self._connection
        if connection is None or not _hung_up(connection):
            return
        self._write((HUNG_UP,))
        raise ContainerExit(self.container, MIGRATION_FAILED)

    def crash(self) -> None:
        """The process ends by an error of its own."""
        self._die(STARTUP_FAILED, "ValueError: ENCRYPTION_KEY_SECRET is not a valid key", "Application exited early.")

    def close(self) -> None:
        """Close the pool's connection."""
        connection, self._connection = self._connection, None
        self.is_up = False
        if connection is not None:
            connection.close()

    def _end_with_fatal_log(self) -> None:
        for name, words in FATAL_LOGS.items():
            if fault_is_on(self._surroundings.cloud, name, self._surroundings.group):
                self._die(words.exit_code, *words.written(self._environment))

    def _migrate(self) -> Iterator[float]:
        try:
            self._connection = database.connect(self._surroundings, self._environment)
            self._write(
                (
                    "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.",
                    "INFO  [alembic.runtime.migration] Will assume transactional DDL.",
                )
            )
            for old, new, title in database.pending(self._connection, self._version):
                self._write((f"INFO  [alembic.runtime.migration] Running upgrade {old} -> {new}, {title}",))
                database.advance(self._connection, old, new)
                yield self._one_migration()
        except database.NoConnection as error:
            self._die(MIGRATION_FAILED, str(error))
        except psycopg.Error as error:
            self._die(MIGRATION_FAILED, database.in_sqlalchemys_words(error))

    def _one_migration(self) -> float:
        """Seconds of one migration. A starved server needs minutes for what else takes seconds."""
        slow = {"several-migrators": SLOW_MIGRATING, "slow-migrations": SLOWEST_MIGRATING}
        cloud, group = self._surroundings.cloud, self._surroundings.group
        seconds = next((slow[name] for name in slow if fault_is_on(cloud, name, group)), MIGRATING)
        return seconds / len(database.revisions_of(self._version))

    def _wait_for(self, what: str, ask: Callable[[], None]) -> Iterator[float]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                ask()
            except Unavailable as error:
                if error.final or attempt == ATTEMPTS:
                    self._die(STARTUP_FAILED, str(error), "ERROR:    Application startup failed. Exiting.")
                self._write((f"WARNING: {what}: Readiness probe ongoing. attempt={attempt}: {error}",))
                yield RETRY
            else:
                self._write((f"NOTICE: {what}: Readiness probe succeeded. Continuing...",))
                return

    def _has_index(self) -> bool:
        return self._environment.get("DISABLE_VECTOR_DB", "").lower() != "true"

    def _needs_vespa(self) -> bool:
        disabled = self._environment.get("ONYX_DISABLE_VESPA", "true" if self._version[0] > 3 else "false")
        return self._has_index() and disabled.lower() != "true"

    def _keeps(self, what: str) -> bool:
        """Whether PostgreSQL does it, as in Onyx Lite."""
        return self._environment.get(what, "") == "postgres"

    def _wait_for_opensearch(self) -> Iterator[float]:
        for attempt in range(1, OPENSEARCH_ATTEMPTS + 1):
            try:
                opensearch.ask_opensearch(self._surroundings, self._environment)
            except Unavailable as error:
                self._write((f"WARNING: [OpenSearch] Readiness probe did not succeed. attempt={attempt}: {error}",))
                if attempt == OPENSEARCH_ATTEMPTS:
                    too_late = "RuntimeError: Could not connect to a document index within the specified timeout."
                    self._die(STARTUP_FAILED, str(error), too_late, "ERROR:    Application startup failed. Exiting.")
                yield RETRY
            else:
                self._write(("NOTICE: [OpenSearch] Readiness probe succeeded. Continuing...",))
                return

    def _file_store(self) -> Iterator[float]:
        try:
            services.ask_file_store(self._surroundings, self._environment)
        except Unavailable as error:
            self._die(STARTUP_FAILED, str(error), "ERROR:    Application startup failed. Exiting.")
        yield 2.0

    def _die(self, code: int, *lines: str) -> None:
        self._write(("Traceback (most recent call last):", *lines))
        raise ContainerExit(self.container, code)


def _hung_up(connection: psycopg.Connection) -> bool:
    if connection.closed:
        return True
    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    if not readable:
        return False
    try:
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return connection.pgconn.status != psycopg.pq.ConnStatus.OK
