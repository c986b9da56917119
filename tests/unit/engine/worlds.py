"""Scripted worlds and a virtual clock for the tests of the loop."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Limits, Report, run, run_step
from orchestrator.engine.step import Blocked, Done, Step, Todo, Verdict
from orchestrator.errors import (
    Interrupted,
    Problem,
)
from orchestrator.events import Event


@dataclass
class VirtualClock:
    """Time passes only by sleeping."""

    seconds: float = 0.0
    interrupt_at: float = float("inf")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.seconds += seconds
        if self.seconds >= self.interrupt_at:
            raise Interrupted(Problem("interrupted", "stopped"))


@dataclass
class World:
    """A tenant is up after `lag` looks that follow its change; `broken` ones never are."""

    tenants: tuple[str, ...] = ("a", "b")
    up: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    lag: int = 0
    looks: int = 0
    applied: list[tuple[str, ...]] = field(default_factory=list)
    visible_at: dict[str, int] = field(default_factory=dict)


def observe(world: World) -> dict[str, str]:
    world.looks += 1
    world.up |= {who for who, look in world.visible_at.items() if world.looks > look}
    return {who: "broken" if who in world.broken else "up" if who in world.up else "down" for who in world.tenants}


def decide(facts: Mapping[str, str]) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {
        "up": Done("up"),
        "down": Todo("start"),
        "broken": Blocked(Problem("broken", "it is broken", fix="mend it")),
    }
    return {who: verdicts[state] for who, state in facts.items()}


def apply(world: World, todos: Mapping[str, Todo]) -> None:
    world.applied.append(tuple(sorted(todos)))
    world.visible_at |= dict.fromkeys(todos, world.looks + world.lag)


def a_step(name: str = "step", **changes: Any) -> AnyStep:
    kind: dict[str, Any] = {"observe": observe, "decide": decide, "apply": apply, "title": name, **changes}
    return Step(id=name, **kind)


def settle(step: AnyStep, world: Any, clock: VirtualClock | None = None, **more: Any) -> tuple[Any, list[Event]]:
    events: list[Event] = []
    endings = run_step(step, world, clock=clock or VirtualClock(), emit=events.append, limits=Limits(), **more)
    return endings, events


def go(steps: list[AnyStep], world: Any, **more: Any) -> Report:
    return run(steps, world, clock=VirtualClock(), emit=lambda _event: None, **more)
