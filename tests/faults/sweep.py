"""A sweep: one trial for every call and every deed, on several stages at once; what is wrong is told, not raised."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.seam import Deed
from tests.faults.theatre import TENANTS, Theatre, theatre
from tests.faults.troupe import Ended

TRIES = 4
"""A run is not always of the same length: one that ended before its deed is begun again."""
REDEPLOY = "ecs:UpdateService"
Way = tuple[str, ...]
WAYS: Mapping[str, Way] = {
    "direct": ("--database-transport", "direct"),
    "ssm": ("--database-transport", "ssm", "--skip", "dns-records", "--skip", "sites", "--skip", "redis-auth"),
}
"""Arguments of the run, by the transport: what does not depend on it is swept once."""


@dataclass
class Sweep:
    """What was tried and found. Safe from several threads."""

    done: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, trial: str, defects: Iterable[str]) -> None:
        """The outcome of one trial."""
        with self.lock:
            self.done += 1
            self.wrong += [f"{trial}: {defect}" for defect in defects]


@contextmanager
def stages(folder: Path, number: int = os.cpu_count() or 1) -> Iterator[list[Theatre]]:
    """Several stacks, each in a cloud of its own."""
    with ExitStack() as stack, ThreadPoolExecutor(number) as pool:
        opened = [theatre(folder / str(one)) for one in range(number)]
        yield list(pool.map(stack.enter_context, opened))


def undisturbed(stage: Theatre, way: Way, runs: int = 1) -> tuple[Mapping[str, Any], int]:
    """What a run makes of the first day, and the fewest calls it took."""
    ends = []
    for _ in range(runs):
        folder = stage.begin_again()
        ended = stage.run(folder, Deed(), *way)
        assert ended.status == 0, ended.stdout + ended.stderr
        state = stage.state(folder)
        ends.append((state, ended.calls))
    return ends[0][0], min(len(calls) for _, calls in ends)


def trial(stage: Theatre, deed: Deed, way: Way) -> tuple[Path, Ended] | None:
    """A run from the first day with the deed done to it; None: it always ended before."""
    for _ in range(TRIES):
        folder = stage.begin_again()
        first = stage.run(folder, deed, *way)
        if was_done(first, deed):
            return folder, first
    return None


def was_done(run: Ended, deed: Deed) -> bool:
    """Whether the run came to the call at which the deed is done."""
    return sum(deed.what in ("", call.what) for call in run.calls) >= deed.at


def converges(stage: Theatre, folder: Path, runs: Sequence[Ended], good: Mapping[str, Any]) -> Iterator[str]:
    """What differs from an undisturbed run's world, after the last of the runs that succeeded."""
    last = runs[-1]
    if last.status != 0:
        yield f"the last run ended with {last.status}: {sorted(last.codes)} {last.stderr[-300:]}"
    state = stage.state(folder)
    yield from (f"{part} is {state[part]}, not {good[part]}" for part in good if state[part] != good[part])
    sent = [call for run in runs for call in run.calls if call.what == REDEPLOY]
    surely = sum(call.ended for call in sent)
    if not surely <= len(TENANTS) <= len(sent):
        yield f"{surely} to {len(sent)} redeploys for {len(TENANTS)} services"


def each(stages: Sequence[Theatre], tasks: Iterable[Any], do: Callable[[Theatre, Any], None]) -> None:
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

    with ThreadPoolExecutor(len(stages)) as pool:
        list(pool.map(on_a_stage, tasks))
