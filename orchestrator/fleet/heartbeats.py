"""Which workers are alive, where several share a PostgreSQL: each says so every few seconds, by the database's clock.

A worker that was silent for the lease is dead, for good: so says whoever holds an advisory lock, and hands what it left
to the engine. A worker that is dead in the table, or that could not beat for most of the lease, knows that its work
may be another's by now, and stops. Two that work on one stack for a moment (the dead one was only stopped) are kept
apart by the stack's own lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from orchestrator.engine.clock import SystemClock
from orchestrator.errors import Interrupted

BEATS = 6
"""In a lease."""
PATIENCE = 0.7
"""The part of the lease after which a worker that could not beat stops: before others may call it dead."""
_KEY = 7_305_442_001
"""Of the advisory lock; any number that nobody else uses."""
Abandoned = Callable[[set[str]], list[str]]
"""Of the living → the workers that have something under way and are not among them."""
Recover = Callable[[list[str]], None]
"""Takes what these have left."""
_TABLE = """
CREATE SCHEMA IF NOT EXISTS orchestrate_fleet;
CREATE TABLE IF NOT EXISTS orchestrate_fleet.workers (
    name text PRIMARY KEY,
    began timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat timestamptz NOT NULL DEFAULT clock_timestamp(),
    dead boolean NOT NULL DEFAULT false
)
"""


class Heartbeats:
    """Of one worker, from `begin` on. `lost` is called once, when it must stop."""

    def __init__(self, database: str, name: str, lease: float) -> None:
        self._database, self._name, self._lease = database, name, lease
        self._clock = SystemClock()
        self._threads: list[threading.Thread] = []
        self._kept: psycopg.Connection | None = None
        """Of the thread that beats: a connection may take longer than a beat may."""

    @property
    def period(self) -> float:
        """Seconds between two beats."""
        return self._lease / BEATS

    def enrol(self) -> None:
        """The worker is known, and alive. To be called before it begins: who isn't known counts as dead."""
        with self._connected() as database, database.transaction():
            database.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY])  # two at once would both create the table
            database.execute(_TABLE)
            database.execute("INSERT INTO orchestrate_fleet.workers (name) VALUES (%s)", [self._name])

    def begin(self, lost: Callable[[], None]) -> None:
        """Beat, in a thread of its own, from now on: the engine may take longer to start than the lease is."""
        self._start(self._keep, lost)

    def look_after(self, abandoned: Abandoned, recover: Recover) -> None:
        """The engine has started: look after the others as well, in another thread: no beat waits for the engine."""
        self._start(self._watch, abandoned, recover)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="heartbeats", daemon=True)
        self._threads.append(thread)
        thread.start()

    def end(self) -> None:
        """The worker leaves: what it has not finished is another's at once."""
        self._clock.interrupt()
        for thread in self._threads:
            thread.join(self._lease)
        with suppress(psycopg.Error), self._connected() as database:
            database.execute("UPDATE orchestrate_fleet.workers SET dead = true WHERE name = %s", [self._name])

    def alive(self) -> set[str]:
        """The names of the living, as of now."""
        with self._connected() as database:
            return _alive(database, self._lease)

    def _keep(self, lost: Callable[[], None]) -> None:
        heard = self._clock.monotonic()
        while True:
            began = self._clock.monotonic()
            try:
                if not self.beat():
                    lost()
                    return
                heard = began
            except psycopg.Error:  # the server is away: it may come back before the lease is over
                self._drop()
                if self._clock.monotonic() - heard > PATIENCE * self._lease:
                    lost()
                    return
            try:
                self._clock.sleep(self.period)
            except Interrupted:
                return

    def _watch(self, abandoned: Abandoned, recover: Recover) -> None:
        while True:
            # The engine's errors are its own; whatever was missed, the next look or another worker finds.
            with suppress(Exception):
                self.sweep(abandoned, recover)
            try:
                self._clock.sleep(self.period)
            except Interrupted:
                return

    def beat(self) -> bool:
        """Say that we are alive; False: others have called us dead. Raises `psycopg.Error`."""
        found = self._connection().execute(
            "UPDATE orchestrate_fleet.workers SET beat = clock_timestamp() WHERE name = %s AND NOT dead", [self._name]
        )
        return found.rowcount == 1

    def sweep(self, abandoned: Abandoned, recover: Recover) -> None:
        """Call dead who was silent, and hand on what all that are not alive have left. One worker at a time does it."""
        with self._connected() as database, database.transaction():
            row = database.execute("SELECT pg_try_advisory_xact_lock(%s)", [_KEY]).fetchone()
            if row is None or not row[0]:
                return
            database.execute(
                "UPDATE orchestrate_fleet.workers SET dead = true "
                "WHERE NOT dead AND beat < clock_timestamp() - make_interval(secs => %s)",
                [self._lease],
            )
            left = abandoned(_alive(database, self._lease))
        if left:
            recover(left)

    def _connection(self) -> psycopg.Connection:
        """The one that is kept; another one after an error."""
        if self._kept is None:
            self._kept = self._connect()
        return self._kept

    def _drop(self) -> None:
        if self._kept is not None:
            with suppress(psycopg.Error):
                self._kept.close()
            self._kept = None

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        """For a moment."""
        with self._connect() as database:
            yield database

    def _connect(self) -> psycopg.Connection:
        """What hangs is given up before the lease is over, also when the server is gone without a word."""
        limit = self._lease * PATIENCE / 2
        milliseconds = round(limit * 1000)
        return psycopg.connect(
            self._database,
            autocommit=True,
            connect_timeout=max(2, round(limit)),
            tcp_user_timeout=milliseconds,
            options=f"-c statement_timeout={milliseconds}",
        )


def _alive(database: psycopg.Connection, lease: float) -> set[str]:
    rows = database.execute(
        "SELECT name FROM orchestrate_fleet.workers "
        "WHERE NOT dead AND beat >= clock_timestamp() - make_interval(secs => %s)",
        [lease],
    )
    return {str(name) for (name,) in rows}
