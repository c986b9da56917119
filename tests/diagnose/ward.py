"""Worker processes with a patient each: what a pool runs must be importable, which a `__main__` is not."""

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
from tests.diagnose.patient import SPEED, Fault, Patient
from tests.diagnose.trials import CALM, Result, calm, named, pair, single


@dataclass
class Ward:
    """A worker process's patient. One that stays ill is replaced."""

    folder: Path = Path()
    speed: float = SPEED
    patient: Patient | None = None
    admissions: int = 0

    def healthy(self) -> Patient:
        if self.patient is None:
            self.admissions += 1
            patient = Patient.admit(self.folder / f"{os.getpid()}-{self.admissions}", self.speed)
            if not patient.heal():
                raise RuntimeError(f"a fresh stack does not come to life: {patient.examine().findings}")
            self.patient = patient
        return self.patient

    def tried(self, name: str, trial: Callable[[Patient], Result]) -> Result:
        """How it ended, with an error too: that one is wrong, and the others are tried all the same."""
        patient = self.healthy()
        try:
            result = trial(patient)
        except Exception as error:  # noqa: BLE001 - whatever breaks a trial is its result
            traceback.print_exc()
            result = Result(name, 0.0, 0, "", f"broke: {error!r}, stays ill")
        if "stays ill" in result.why:
            patient.discharge()
            self.patient = None
        return result


WARD = Ward()


def open_ward(folder: Path, speed: float) -> None:
    """In each worker, first."""
    WARD.folder, WARD.speed = folder, speed


def try_one(name: str) -> Result:
    trial = calm if name in CALM else single
    return WARD.tried(name, lambda patient: trial(patient, name))


def try_pair(faults: tuple[Fault, Fault]) -> Result:
    return WARD.tried(named(faults), lambda patient: pair(patient, faults))


@contextmanager
def hospital(workers: int, speed: float) -> Iterator[ProcessPoolExecutor]:
    """The worker processes; their clouds are gone afterwards, whatever happened."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with ProcessPoolExecutor(workers, spawn, open_ward, (Path(folder), speed)) as pool:
                yield pool
        finally:
            for cloud in Path(folder).iterdir():
                client.down(cloud)
