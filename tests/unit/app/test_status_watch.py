"""Watching asks little: what is done is looked at again only now and then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from orchestrator.app.operation import Operation
from orchestrator.app.status_watch import CALM, StatusWatch
from orchestrator.aws.rds import ServerState
from orchestrator.engine.runner import Observation
from orchestrator.engine.step import STACK, Blocked, Done, Verdict, Wait
from orchestrator.errors import Problem
from orchestrator.render import board
from orchestrator.stack import contract
from orchestrator.steps.database_server import DatabaseServerFacts
from tests.unit.stack.test_contract import good

STACK_OF_ONE = contract.parse(good(), "test")


@dataclass
class Clock:
    at: float = 0.0

    def monotonic(self) -> float:
        return self.at


@dataclass
class Looks:
    """An operation of two steps; `verdicts` is what each would say now."""

    verdicts: dict[str, Verdict]
    looked: list[set[str]] = field(default_factory=list)
    stack: contract.Stack = STACK_OF_ONE
    tenants: tuple[str, ...] = ("a",)
    steps: tuple[str, ...] = ("database-server", "runner")

    def balancers(self) -> dict[str, str]:
        return {"alb": "active"}

    def sights(self, known: Collection[str] = (), _together: object = None) -> Mapping[str, Observation]:
        self.looked.append(set(self.steps) - set(known))
        facts = {"database-server": DatabaseServerFacts(ServerState("db", "available"), "h"), "runner": object()}
        return {step: Observation(facts[step], {STACK: self.verdicts[step]}) for step in self.looked[-1]}


def status_watch(looks: Looks, clock: Clock) -> StatusWatch:
    return StatusWatch(cast("Operation", looks), cast("Any", clock))


def test_what_is_done_is_left_alone_for_a_while() -> None:
    looks, clock = Looks({"database-server": Done("available"), "runner": Wait("boots")}), Clock()
    seen = status_watch(looks, clock)
    for clock.at in (0.0, 5.0, CALM - 1, CALM):
        picture = seen.look()
        assert picture.verdicts["runner"][STACK] == Wait("boots")
        assert picture.verdicts["database-server"][STACK] == Done("available")
    assert looks.looked == [{"database-server", "runner"}, {"runner"}, {"runner"}, {"database-server", "runner"}]


def test_what_broke_meanwhile_is_seen_then() -> None:
    looks, clock = Looks({"database-server": Done("available"), "runner": Done("online")}), Clock()
    seen = status_watch(looks, clock)
    assert seen.look().parts[0].state == board.UP
    looks.verdicts["database-server"] = Blocked(Problem("x", "it was stopped"))
    clock.at = CALM
    assert (seen.look().parts[0].state, seen.look().parts[0].detail) == (board.FAILED, "it was stopped")
