"""Worker processes with an example stack each: what a pool runs must be importable, which a `__main__` is not."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.local.endpoint import client
from tests.diagnose.example_stack import SPEED, ExampleStack, Fault
from tests.diagnose.trials import CALM, Result, calm, named, pair, single


@dataclass
class Worker:
    """A worker process's example stack. One that stays broken is replaced."""

    folder: Path = Path()
    speed: float = SPEED
    example: ExampleStack | None = None
    created: int = 0

    def healthy_stack(self) -> ExampleStack:
        if self.example is None:
            self.created += 1
            example = ExampleStack.create(self.folder / f"{os.getpid()}-{self.created}", self.speed)
            if not example.repair():
                raise RuntimeError(f"a fresh stack does not come to life: {example.examine().findings}")
            self.example = example
        return self.example

    def tried(self, name: str, trial: Callable[[ExampleStack], Result]) -> Result:
        """How it ended, with an error too: that one is wrong, and the others are tried all the same."""
        example = self.healthy_stack()
        try:
            result = trial(example)
        except Exception as error:  # noqa: BLE001 - whatever breaks a trial is its result
            traceback.print_exc()
            result = Result(name, 0.0, 0, "", f"broke: {error!r}, stays broken")
        if "stays broken" in result.why:
            example.delete()
            self.example = None
        return result


WORKER = Worker()


def begin_worker(folder: Path, speed: float) -> None:
    """In each worker, first."""
    WORKER.folder, WORKER.speed = folder, speed


def try_one(name: str) -> Result:
    trial = calm if name in CALM else single
    return WORKER.tried(name, lambda example: trial(example, name))


def try_pair(faults: tuple[Fault, Fault]) -> Result:
    return WORKER.tried(named(faults), lambda example: pair(example, faults))


@contextmanager
def worker_pool(workers: int, speed: float) -> Iterator[ProcessPoolExecutor]:
    """The worker processes; their clouds are gone afterwards, whatever happened."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with ProcessPoolExecutor(workers, spawn, begin_worker, (Path(folder), speed)) as pool:
                yield pool
        finally:
            for cloud in Path(folder).iterdir():
                client.down(cloud)
