"""A sweep: a trial for every call and every injection, on several stacks at once; defects are reported, not raised."""

from __future__ import annotations

import functools
import operator
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.faults.figures import ONLY, say
from tests.faults.fork_server import Ended
from tests.faults.interceptor import Injection, is_look
from tests.faults.resettable_stack import ResettableStack, resettable_stack

TOLD = 20
"""How often a sweep says how far it is."""
TRIES = 4
"""A run is not always of the same length: one that ended before its injection is begun again."""
REDEPLOY, REDEPLOYS = "ecs:UpdateService", "redeploys"
STAGES = (os.cpu_count() or 1) + 1
"""A trial waits for a quarter of its time."""
Place = TypeVar("Place")
"""A stack in a cloud of its own, to be played on by one trial at a time."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a run is begun. What does not depend on it is swept once: `sweeps` begins the names of the calls that are."""

    arguments: tuple[str, ...]
    sweeps: str = ""
    state: str = "none"
    """Where Terraform's state is, and so the lock: `none` or `s3`."""


DIRECT = ("--database-transport", "direct")
TO_THE_DATABASES = ("--only", "database-server", "--only", "runner", "--only", "tenant-databases")
WAYS: Mapping[str, Way] = {
    "direct": Way(DIRECT),
    "ssm": Way(("--database-transport", "ssm", *TO_THE_DATABASES)),
    "lock in S3": Way((*DIRECT, *TO_THE_DATABASES, "--lock-timeout", "60"), "s3:", "s3"),
}
"""By what is swept: the transport of statements, the place of the lock."""


class Unreached(Exception):
    """The run always ended before the call: how often it looks depends on the time."""


@dataclass
class Sweep:
    """What was tried and found, `of` so many trials. Safe from several threads."""

    of: int
    done: int = 0
    unreached: list[Injection] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def well(self) -> int:
        """Trials that ended as they should."""
        return self.done - len({line.partition(": ")[0] for line in self.wrong})

    def __str__(self) -> str:
        return f"{self.done} of {self.of} tried, {self.done - self.well} not well{self.rest}"

    @property
    def rest(self) -> str:
        """What was not tried, to be put behind what was."""
        return f", {len(self.unreached)} never reached" if self.unreached else ""

    @property
    def blind(self) -> list[str]:
        """What may not be left out: a change, the first look of its name; of more looks than a twentieth, all."""
        if len(self.unreached) > self.of // 20:
            return [str(injection) for injection in self.unreached]
        return [str(injection) for injection in self.unreached if injection.at == 1 or not is_look(injection.what)]

    def note(self, trial: str, defects: Iterable[str]) -> None:
        """The outcome of one trial. Where `defects` are still to be found, that is the trial: it holds nobody up."""
        found = [f"{trial}: {defect}" for defect in defects]
        with self.lock:
            self.done += 1
            self.wrong += found
            if found or self.done % max(1, self.of // TOLD) == 0:
                say("\n".join([str(self), *found]))

    def pass_over(self, injection: Injection) -> None:
        """The run never came so far."""
        with self.lock:
            self.unreached.append(injection)
            say(f"{self}\n{injection}: never reached")


@contextmanager
def stages(
    folder: Path, made: Callable[[Path], AbstractContextManager[Place]], number: int = STAGES
) -> Iterator[list[Place]]:
    """Several stacks, each in a cloud of its own."""
    with ExitStack() as stack, ThreadPoolExecutor(number) as pool:
        opened = [made(folder / str(one)) for one in range(number)]
        yield list(pool.map(stack.enter_context, opened))


def undisturbed(stage: ResettableStack, way: Way, runs: int = 1) -> tuple[Mapping[str, Any], Counter[str]]:
    """What a run makes of the first day (and how many redeploys that takes), and the calls that all the runs made."""
    made: list[Counter[str]] = []
    state: Mapping[str, Any] = {}
    for _ in range(runs):
        folder = stage.reset(way.state)
        ended = stage.run(folder, Injection(), *way.arguments)
        assert ended.status == 0, ended.stdout + ended.stderr
        made.append(Counter(call.what for call in ended.calls if call.what.startswith(way.sweeps)))
        redeploys = sum(call.what == REDEPLOY for call in ended.calls)
        state = {**stage.state(folder), REDEPLOYS: redeploys}
    return state, functools.reduce(operator.and_, made)


def everywhere(calls: Counter[str], kinds: Callable[[str], Sequence[str]]) -> list[Injection]:
    """Every injection at every call."""
    return [Injection(at, kind, what) for what in calls for at in range(1, calls[what] + 1) for kind in kinds(what)]


Survival = Callable[[ResettableStack, Injection, Way, Mapping[str, Any]], Iterable[str]]


def swept(folder: Path, way: Way, kinds: Callable[[str], Sequence[str]], survives: Survival) -> tuple[int, Sweep]:
    """The number of calls of a run, and what came of every injection at every call."""
    with stages(folder, resettable_stack) as opened:
        worlds = {id(stage): undisturbed(stage, way, runs=2) for stage in opened}
        calls = functools.reduce(operator.and_, (calls for _, calls in worlds.values()))

        injections = [injection for injection in everywhere(calls, kinds) if ONLY in str(injection)]
        sweep = Sweep(len(injections))

        def survival(stage: ResettableStack, injection: Injection) -> None:
            try:
                sweep.note(str(injection), told(survives(stage, injection, way, worlds[id(stage)][0])))
            except Unreached:
                sweep.pass_over(injection)

        each(opened, injections, survival)
    return calls.total(), sweep


def told(defects: Iterable[str]) -> Iterator[str]:
    """The defects; and what broke the trial itself, which then is no reason not to try the others."""
    try:
        yield from defects
    except Unreached:
        raise
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever it is, it is told
        yield f"the trial broke: {error!r}"


def trial(stage: ResettableStack, injection: Injection, way: Way) -> tuple[Path, Ended]:
    """A run from the first day with the injection. Raises `Unreached`."""
    for _ in range(TRIES):
        folder = stage.reset(way.state)
        first = stage.run(folder, injection, *way.arguments)
        if was_done(first, injection):
            return folder, first
    raise Unreached


def was_done(run: Ended, injection: Injection) -> bool:
    """Whether the run came to the call with the injection."""
    return sum(injection.concerns(call.what) for call in run.calls) >= injection.at


def converges(stage: ResettableStack, folder: Path, runs: Sequence[Ended], good: Mapping[str, Any]) -> Iterator[str]:
    """What differs from an undisturbed run's world, after the last of the runs that succeeded."""
    last = runs[-1]
    if last.status != 0:
        yield f"the last run ended with {last.status}: {sorted(last.codes)} {last.stderr[-300:]}"
    state = stage.state(folder)
    yield from (f"{part} is {state[part]}, not {good[part]}" for part in state if state[part] != good[part])
    yield from (f"a secret is written down: {leak}" for leak in stage.leaks(folder))
    sent = [call for run in runs for call in run.calls if call.what == REDEPLOY]
    surely = sum(call.ended for call in sent)
    if not surely <= good[REDEPLOYS] <= len(sent):
        yield f"{surely} to {len(sent)} redeploys, not {good[REDEPLOYS]}"


def each(stages: Sequence[Place], tasks: Iterable[Any], do: Callable[[Place, Any], None]) -> None:
    """Every task on whichever stage is free."""
    free = list(stages)
    lock = threading.Lock()

    def on_a_stage(task: Any) -> None:
        with lock:
            stage = free.pop()
        try:
            do(stage, task)
        finally:
            with lock:
                free.append(stage)

    pool = ThreadPoolExecutor(len(stages))
    try:
        list(pool.map(on_a_stage, tasks))
    finally:
        pool.shutdown(cancel_futures=True)
