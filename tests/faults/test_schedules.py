"""Random schedules: the engine with the real steps on a scripted stack, a virtual clock, and mishaps at any call."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from orchestrator import steps
from orchestrator.engine import runner
from orchestrator.engine.runner import Limits, Report
from orchestrator.errors import Interrupted, Outcome, Problem
from orchestrator.events import Event, StepDone, StepFailed
from orchestrator.rollout import progress
from orchestrator.stack import contract
from orchestrator.steps import dns_records, sites
from tests.faults.figures import say, sized, tell
from tests.faults.schedule import AtOnce, Schedule
from tests.faults.scripted import context_of
from tests.faults.scripted_world import TENANTS, Killed, World
from tests.unit.stack.test_contract import good

SCHEDULES = sized(10_000, 200)
EVERY = 1_000
"""After so many it says how far it is."""
STEPS = steps.discover()
LONGEST = 3 * 3600.0
"""Virtual seconds: more than all timeouts one after the other."""
MOST_CALLS = 5_000
UNHEARD = ("lost", "killed-after")
MISHAPS = ("refused", "denied", "killed-before", "interrupt", *UNHEARD)
PATCHES = pytest.MonkeyPatch()
"""The engine's threads are the schedule's, those of a single observation done at once."""
tried = {"schedules": 0, "runs": 0}


def stack() -> contract.Stack:
    document = good()
    document["redis"] = {
        "replication_group": "onyx-redis",
        "host": "redis",
        "auth_secret_arn": document["database"]["admin_secret_arn"],
    }
    assert set(document["tenants"]) == set(TENANTS)
    return contract.parse(document, "test")


STACK_CONTRACT = stack()


class Schedules(RuleBasedStateMachine):
    """Runs, and what happens before, in and between them. Every schedule ends with a run that nothing disturbs."""

    @initialize(
        seed=st.integers(0, 2**16),
        server=st.integers(0, 900),
        agent=st.integers(0, 300),
        lag=st.sampled_from((0, 0, 3, 45)),
    )
    def begin(self, seed: int, server: int, agent: int, lag: int) -> None:
        chance = random.Random(seed)
        self.clock = Schedule(chance.randrange, self.time_moves)
        PATCHES.setattr(runner, "ThreadPoolExecutor", self.clock.executor)
        PATCHES.setattr(runner, "wait", self.clock.wait)
        self.world = World(self.clock, STACK_CONTRACT, available_at=server, online_at=agent, lag=lag)
        tried["schedules"] += 1
        if tried["schedules"] % EVERY == 0:
            say(f"{tried['schedules']} schedules tried")

    def time_moves(self) -> None:
        """Between two turns of the engine's threads."""
        self.world.move()

    @rule(seconds=st.sampled_from((1, 10, 60, 600)))
    def time_passes(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.world.move()

    @rule(tenant=st.sampled_from(TENANTS))
    def somebody_drops_a_database(self, tenant: str) -> None:
        self.world.drop(tenant)

    @rule(tenant=st.sampled_from(TENANTS))
    def somebody_deploys(self, tenant: str) -> None:
        self.world.begin_rollout(tenant)

    @precondition(lambda self: self.world.records)
    @rule()
    def somebody_removes_a_record(self) -> None:
        name = min(self.world.records)
        del self.world.records[name], self.world.visible[name]

    # Where nothing shows at once, a change whose answer nobody heard can't be known: not even a person would.
    @rule(mishaps=st.dictionaries(st.integers(1, 60), st.sampled_from(MISHAPS), max_size=4))
    def a_run(self, mishaps: dict[int, str]) -> None:
        self.run({at: what for at, what in mishaps.items() if not self.world.lag or what not in UNHEARD})
        self.time_passes(self.world.lag)

    def run(self, mishaps: dict[int, str]) -> Report | None:
        """One `orchestrate run`; None: it was killed or interrupted."""
        world, began = self.world, self.clock.seconds
        world.calls, world.dead = 0, False
        asked = min((at for at, what in mishaps.items() if what == "interrupt"), default=MOST_CALLS)
        world.mishaps = {at: what for at, what in mishaps.items() if what != "interrupt"}
        self.clock.interrupt = lambda: self._stop(asked)
        tried["runs"] += 1
        report = None
        try:
            report = runner.run(STEPS, context_of(world), clock=self.clock, emit=self.heard, limits=Limits(poll=30))
        except (Killed, Interrupted):
            assert mishaps, "nothing asked it to end"
        world.mishaps = {}
        assert self.clock.seconds - began <= LONGEST, "it did not end in time"
        assert world.calls <= MOST_CALLS, "it asks without end"
        assert not world.wrong, world.wrong
        if report is not None and report.outcome is Outcome.SUCCEEDED:
            assert all(map(world.good, TENANTS)), "it claims a success that is none"
        return report

    def _stop(self, asked: int) -> BaseException | None:
        if self.world.dead:
            return Killed()
        if self.world.calls >= asked:
            return Interrupted(Problem("interrupted", "stopped on request", "", "run again"))
        return None

    def heard(self, event: Event) -> None:
        """What is said of one tenant is true at that moment; what failed has a code."""
        if isinstance(event, StepFailed):
            assert event.code
        if isinstance(event, StepDone):
            assert self.is_true(event.step, event.subject), (
                f"{event.step} of {event.subject or 'the stack'}: {event.detail}"
            )

    def is_true(self, step: str, tenant: str) -> bool:
        world = self.world
        facts: dict[str, Any] = {
            "database-server": lambda: self.clock.seconds >= world.available_at,
            "runner": lambda: self.clock.seconds >= world.online_at,
            "redis-auth": lambda: world.token == "only",
            "tenant-databases": lambda: world.databases[tenant] == {"role", "database", "password", "private"},
            "services": lambda: world.is_up(tenant),
            "sites": lambda: world.is_up(tenant),
        }
        return bool(facts.get(step, lambda: True)())

    def teardown(self) -> None:
        """Whatever happened: a run that nothing disturbs succeeds, and one more changes nothing."""
        if not hasattr(self, "world"):
            return
        self.time_passes(600)
        report = self.run({})
        assert report is not None
        assert report.outcome is Outcome.SUCCEEDED, report.endings
        again = self.run({})
        assert again is not None
        assert (again.outcome, again.changed) == (Outcome.SUCCEEDED, 0)


def test_random_schedules() -> None:
    for module in (progress, dns_records, sites):
        PATCHES.setattr(module, "ThreadPoolExecutor", AtOnce)
    limits = settings(
        max_examples=SCHEDULES,
        stateful_step_count=6,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    try:
        run_state_machine_as_test(Schedules, settings=limits)
    finally:
        PATCHES.undo()
    figures = f"{tried['schedules']} schedules, {tried['runs']} runs"
    tell(f"random schedules: {figures}: each ended, claimed only what was true, changed nothing twice")
