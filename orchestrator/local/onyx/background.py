"""Onyx's background container in a task of its own: eight Celery workers under supervisord, which migrate nothing.

A worker waits for PostgreSQL, Redis and its search index, and shuts down when one of them doesn't answer in time;
supervisord starts it again, so that the container lives on. Those of Onyx 3 copy documents (copying.py). As read in the
source of Onyx up to v4.6.1: no image of Onyx ran here. Left out: what else the workers do, and that they fail on tables
which no api has migrated yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.local.onyx import database, opensearch, services
from orchestrator.local.onyx.copying import DocumentCopy
from orchestrator.local.onyx.services import TaskSurroundings, Unavailable

RETRY, PATIENCE = 5.0, 60.0
"""Seconds between two questions of a worker, and until it gives up."""
COPIES = 3
"""The major version that copies documents."""
READY = "INFO: celery@primary ready."


class Workers:
    """The workers of one task."""

    def __init__(
        self,
        surroundings: TaskSurroundings,
        environment: Mapping[str, str],
        write: Callable[[Sequence[str]], None],
        version: tuple[int, ...] = (2,),
    ) -> None:
        self._copy = DocumentCopy(surroundings, environment, write)
        self._version = version
        self._surroundings = surroundings
        self._environment = environment
        self._write = write

    def boot(self) -> Iterator[float]:
        """Yields AWS's seconds to wait, until all that they need has answered; that may be never."""
        while True:
            waited = 0.0
            while waited < PATIENCE:
                missing = self._missing()
                if not missing:
                    self._write((READY,))
                    return
                self._write((f"WARNING: Readiness probe ongoing: {missing.splitlines()[0]}",))
                yield RETRY
                waited += RETRY
            self._write(
                (f"ERROR: Readiness probe timed out after {PATIENCE:.0f} s", "celery.exceptions.WorkerShutdown")
            )

    def work(self) -> Iterator[float]:
        """Once they are ready: yields AWS's seconds to wait, until nothing of what is played here is left to do."""
        if self._version[0] == COPIES and self._copy.is_wanted:
            yield from self._copy.turns()

    def _missing(self) -> str:
        """What does not answer; empty: everything does."""
        try:
            database.connect(self._surroundings, self._environment).close()
            services.ask_redis(self._surroundings, self._environment)
            if "OPENSEARCH_HOST" in self._environment:
                opensearch.ask_opensearch(self._surroundings, self._environment)
        except (database.NoConnection, Unavailable) as error:
            return str(error)
        return ""
