"""One thread at a time, and time that passes only when all of them sleep: the engine's threads in a known order.

Stands in for `ThreadPoolExecutor` and `wait` in the engine's runner, and is its clock. Of threads that wake at the
same moment `choose` says which goes first, so that one seed is one schedule.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE = 300.0
"""Real seconds a thread may work between two sleeps."""


@dataclass(eq=False)
class _Actor:
    """One thread of the engine's."""

    wakes: float
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class Schedule:
    """Clock and executor in one."""

    def __init__(self, choose: Callable[[int], int], between: Callable[[], None]) -> None:
        self.seconds = 0.0
        self._choose = choose
        self._between = between
        self._actors: list[_Actor] = []
        self._mine = threading.local()
        self._back = threading.Semaphore(0)
        self.interrupt: Callable[[], BaseException | None] = lambda: None

    # The clock.

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self._stop_if_asked()
        actor: _Actor = self._mine.actor
        actor.wakes = self.seconds + max(seconds, 0.0)
        self._back.release()
        actor.go.acquire()
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        asked = self.interrupt()
        if asked is not None:
            raise asked

    # The executor.

    def executor(self, **_given: Any) -> Schedule:
        """What the runner makes for each run."""
        return self

    def __enter__(self) -> Schedule:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        while self._actors:
            self._turn()

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        actor, future = _Actor(self.seconds), Future[Any]()
        self._actors.append(actor)

        def live() -> None:
            self._mine.actor = actor
            actor.go.acquire()
            try:
                future.set_result(work(*given))
            except BaseException as error:  # noqa: BLE001 - the future's reader gets it
                future.set_exception(error)
            self._actors.remove(actor)
            self._back.release()

        threading.Thread(target=live, daemon=True).start()
        return future

    def wait(self, futures: Iterable[Future[Any]], **_given: Any) -> tuple[set[Future[Any]], set[Future[Any]]]:
        """Until one of them is done."""
        every = set(futures)
        while not (done := {future for future in every if future.done()}):
            self._turn()
        return done, every - done

    def _turn(self) -> None:
        """The next thread goes on until it sleeps or ends."""
        earliest = min(actor.wakes for actor in self._actors)
        ready = [actor for actor in self._actors if actor.wakes == earliest]
        actor = ready[self._choose(len(ready)) % len(ready)]
        self.seconds = max(self.seconds, earliest)
        self._between()
        actor.go.release()
        assert self._back.acquire(timeout=PATIENCE), "a thread neither sleeps nor ends"


class AtOnce:
    """`ThreadPoolExecutor` for work that never sleeps: done when it is asked for."""

    def __init__(self, *_given: Any, **_named: Any) -> None: ...

    def __enter__(self) -> AtOnce:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return

    def map(self, work: Callable[..., Any], *given: Iterable[Any]) -> list[Any]:
        return list(map(work, *given))

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given))
        except Exception as error:  # noqa: BLE001 - the future's reader gets it
            done.set_exception(error)
        return done
