"""A fleet at work: orders given and watched here, and a worker of this process where there is one.

With SQLite the process that gives an order carries it out, unless another one does: at most one works, which a kernel
lock beside the file says. With PostgreSQL orders are carried out by `orchestrate fleet worker`, as many as there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from orchestrator.engine.clock import SystemClock
from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import LockOwner
from orchestrator.errors import Interrupted, Invalid, Outcome, Problem
from orchestrator.fleet.alerts import deliver
from orchestrator.fleet.command import EXEC, execute
from orchestrator.fleet.due import due_order
from orchestrator.fleet.engine import FleetEngine, OrderStatus, finished
from orchestrator.fleet.file import Fleet
from orchestrator.fleet.heartbeats import Heartbeats
from orchestrator.fleet.orders import UNFINISHED, WATCH, Order, StackResult, left_over, refused
from orchestrator.fleet.savings import saved_since
from orchestrator.fleet.selection import kept, selected, waves
from orchestrator.fleet.watching import alerts
from orchestrator.fleet.work import do
from orchestrator.fleet.worker import Handlers, Worker
from orchestrator.workflows import Cancellation

RECENT = 100
"""Orders that are searched for a stack's last pause."""
LOOK = 0.5
"""Seconds between two looks at an order."""
PARTING = 60.0
"""Seconds that what is under way has to stop, when this process is asked to."""
ALONE = "this-machine"
"""The worker's name with SQLite: what its predecessor left is its own, so DBOS goes on with it by itself."""
Picture = Callable[[OrderStatus, Mapping[str, float], datetime], None]
"""Takes an order, the stacks that are under way since when (`engine.under_way`), and the time."""


@dataclass
class FleetService:
    """One process's view of a fleet. `abandon` ends the process with this status."""

    fleet: Fleet
    environment: Mapping[str, str] = field(repr=False)
    host: str
    pid: int
    abandon: Callable[[int], None]
    clock: SystemClock = field(default_factory=SystemClock)
    exec_allowed: bool = False
    """Whether this worker runs commands that others have put into a shared database."""
    worker: Worker | None = None
    _heartbeats: Heartbeats | None = None
    _lock: FileLock | None = None
    _lost: bool = False

    def engine(self) -> FleetEngine:
        """The client. Raises `Invalid`."""
        if not self.fleet.shared:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        return FleetEngine(self.fleet.database)

    @property
    def _file(self) -> Path:
        return Path(self.fleet.database.removeprefix("sqlite:///"))

    @property
    def worker_name(self) -> str:
        """Of this process's worker; empty: it is none."""
        return self.worker.name if self.worker else ""

    def nobody_works(self) -> bool:
        """Whether no worker of a shared database is alive: orders wait until there is one."""
        if not self.fleet.shared:
            return False
        try:
            return not Heartbeats(self.fleet.database, "", self.fleet.lease).alive()
        except psycopg.Error:  # no worker has ever been there, so there is no table of them
            return True

    def ask_to_stop(self) -> None:
        """From a signal handler: the first time cleanly, the second time at once."""
        if self.clock.interrupted:
            self.abandon(Outcome.INTERRUPTED.status)
        self.clock.interrupt()

    def order(
        self,
        engine: FleetEngine,
        verb: str,
        *,
        names: Sequence[str] = (),
        labels: Sequence[str] = (),
        failed: bool = False,
        sizes: str = "",
        stop_after: int | None = None,
        arguments: Sequence[str] = (),
    ) -> Order:
        """As it was asked for. `failed`: of those selected, what earlier orders of this verb left. Raises `Invalid`."""
        chosen = selected(self.fleet.stacks, names=names, labels=labels)
        if failed:
            chosen = kept(chosen, left_over(finished(engine.orders(f"{verb}-"), verb)))
            if not chosen:
                raise _nothing_left(verb)
        places = {one.name: one.place for one in chosen}
        return Order(verb, waves([one.name for one in chosen], sizes), places, stop_after, tuple(arguments))

    def again(self, seen: OrderStatus) -> Order:
        """The same for the stacks that it left; of a cancelled one, for those without a result. Raises `Invalid`."""
        came_through = {one.stack for one in seen.results if not one.failed}
        chosen = kept(self.fleet.stacks, set(seen.order.stacks) - came_through)
        if not chosen:
            raise _nothing_left(seen.order.verb)
        left = [tuple(one.name for one in chosen if one.name in wave) for wave in seen.order.waves]
        places = {one.name: one.place for one in chosen}
        return replace(seen.order, waves=tuple(filter(None, left)), places=places)

    def begin(self) -> bool:
        """Become a worker; False: this database has one already, on this machine. Raises `Invalid`."""
        if self.worker is not None:
            return True
        if not self.fleet.shared and not self._alone():
            return False
        name = f"{self.host}-{self.pid}-{secrets.token_hex(3)}" if self.fleet.shared else ALONE
        worker = Worker(self.fleet.database, name, self.fleet.limits, Handlers(self._do, self._due, self._tell))
        if self.fleet.shared:
            self._heartbeats = Heartbeats(self.fleet.database, name, self.fleet.lease)
            self._heartbeats.enrol()
            self._heartbeats.begin(self._declared_dead)
        self.worker = worker
        worker.start()
        if self._heartbeats is not None:
            self._heartbeats.look_after(worker.abandoned, worker.recover)
        return True

    def _alone(self) -> bool:
        lock = FileLock(self._file.with_suffix(".lock"))
        taken = lock.take(LockOwner(run=secrets.token_hex(6), command="fleet", host=self.host, pid=self.pid)) is None
        if taken:
            self._lock = lock
        return taken

    def _declared_dead(self) -> None:
        """Others may be at our stacks by now: stop what is under way, at its next wait and before its next change."""
        self._lost = True
        if self.worker is not None:
            self.worker.cancellation.request()
        self.clock.interrupt()

    def _do(
        self, verb: str, stack: str, order: str, arguments: Sequence[str], cancellation: Cancellation
    ) -> StackResult:
        known = {one.name: one for one in self.fleet.stacks}
        if stack not in known:
            fix = "give every worker the same fleet.toml, then `orchestrate fleet retry`"
            problem = Problem("stack-unknown", f"this worker's fleet has no stack {stack!r}", "", fix)
            return refused(stack, problem, Outcome.INVALID)
        chosen, environment = known[stack], self.environment
        worker = self.worker.name if self.worker else self.host
        if verb == EXEC:
            if self.fleet.shared and not self.exec_allowed:
                return refused(stack, _exec_not_allowed(), Outcome.REFUSED)
            return execute(arguments, chosen, environment, worker=worker, order=order, cancellation=cancellation)
        result = do(verb, chosen, environment, worker=worker, order=order, cancellation=cancellation)
        return self._with_savings(result) if verb == "resume" else result

    def _with_savings(self, result: StackResult) -> StackResult:
        """What the fleet's last pause of this stack saved until now, where this resume ended one."""
        if not result.changed:
            return result
        engine = self.engine()
        try:
            found = [engine.orders(f"{verb}-", RECENT) for verb in ("pause", "resume")]
        finally:
            engine.close()
        pauses, resumes = (
            [one for seen in orders for one in seen.results if one.stack == result.stack] for orders in found
        )
        return replace(result, saved=saved_since(pauses, resumes, result.ended))

    def _due(self, at: datetime, kept: Mapping[str, Any]) -> Order | None:
        """The order of a schedule's entry; None: not on this day, overtaken, or nobody is selected."""
        return due_order(self.fleet, at, kept, self.clock.now(), self._rounds())

    def _rounds(self) -> Sequence[OrderStatus]:
        """Of the watch, the newest first."""
        engine = self.engine()
        try:
            return engine.orders(f"{WATCH}-", 2)
        finally:
            engine.close()

    def _tell(self, results: Sequence[StackResult], memory: Mapping[str, Any]) -> Mapping[str, Any]:
        found, after = alerts(results, memory)
        for one in found:
            deliver(one, self.fleet, self.environment, (self.host, self.worker_name), self.clock.now())
        return after

    def watch(
        self,
        engine: FleetEngine,
        id_: str,
        tell: Callable[[StackResult], None],
        *,
        work: bool,
        picture: Picture | None = None,
    ) -> OrderStatus:
        """Until the order has ended; `tell` hears of each stack once, `picture` again and again of all.

        `work`: carry it out where nobody else does. Raises `Interrupted`: the same command goes on.
        """
        told: set[str] = set()
        while True:
            if work and not self.fleet.shared:
                self.begin()
            under_way = {} if picture is None else engine.under_way(id_)
            seen = engine.order(id_)
            for one in seen.results:
                if one.stack not in told:
                    told.add(one.stack)
                    tell(one)
            if picture is not None:
                picture(seen, under_way, self.clock.now())
            if seen.state != UNFINISHED and not self._needed(engine):
                return seen
            self.clock.sleep(LOOK)

    def _needed(self, engine: FleetEngine) -> bool:
        """Whether others have given orders that only this process can carry out."""
        working = self.worker is not None and not self.fleet.shared
        return working and any(one.state == UNFINISHED for one in engine.orders())

    def serve(self) -> None:
        """Work until asked to stop. Raises `Interrupted` then."""
        while True:
            self.clock.sleep(3600.0)

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Around all of it: at the end this process works no more, and what it has not finished is another's."""
        try:
            yield
        except Interrupted:
            self._leave()
            self.abandon((Outcome.EXPIRED if self._lost else Outcome.INTERRUPTED).status)
        finally:
            if self.worker is not None:
                self.worker.close()
            self._part()

    def _leave(self) -> None:
        if self.worker is not None:
            self.worker.stop(PARTING)
        self._part()

    def _part(self) -> None:
        if self._heartbeats is not None and not self._lost:
            self._heartbeats.end()
        if self._lock is not None:
            self._lock.give_back()


def _exec_not_allowed() -> Problem:
    fix = (
        "start workers with `orchestrate fleet worker --allow-exec`; anybody who may write there can then run commands"
    )
    return Problem("exec-not-allowed", "this worker runs no commands from a shared database", "", fix)


def _nothing_left(verb: str) -> Invalid:
    fix = f"`orchestrate fleet {verb}` processes all of them; `orchestrate fleet list` shows the orders"
    return Invalid(
        Problem("fleet-nothing-left", "no stack failed in the last such order, and all were started", "--failed", fix)
    )
