"""How much is tried: a handful in CI, everything under `make faults`; and the figures that are printed at the end."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

FULL = os.environ.get("FAULTS") == "full"
ONLY = os.environ.get("FAULTS_ONLY", "")
"""Of a sweep only the trials whose name has this in it, as it is told of one that went wrong."""
SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(10**6))
"""Of what is drawn at random here; told at the end, and given again by `FAULTS_SEED`."""
FIGURES: list[str] = []
UNCAPTURED: list[Callable[[], AbstractContextManager[None]]] = []
"""How pytest is told to let through what is printed, where it captures."""


def sized(full: int, short: int) -> int:
    """`full` under `make faults`, else `short`."""
    return full if FULL else short


def tell(figure: str) -> None:
    """A line for the end."""
    FIGURES.append(figure)


def say(line: str) -> None:
    """A line at once: a sweep takes long."""
    with UNCAPTURED[0]() if UNCAPTURED else nullcontext():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
