"""A fleet on PostgreSQL: several workers, of which one dies, stands still, leaves, or loses the database.

`make fleet`: 40 stacks, three workers, twenty of them lost. `FLEET_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.fleet.database import DatabaseServer
from tests.fleet.processes import PlayedFleet, played
from tests.waiting import PATIENCE, until

FULL = os.environ.get("FLEET") == "full"
STACKS = ("a", "b", "c", "d", "e", "f")
MANY = tuple(f"stack-{number:02d}" for number in range(40 if FULL else 8))
WORKERS, LOST = (3, 20) if FULL else (2, 2)
SEED = int(os.environ.get("FLEET_SEED", "1"))


@pytest.fixture
def fleet(server: DatabaseServer, tmp_path: Path) -> Iterator[PlayedFleet]:
    """Each test has a database of its own."""
    with played(tmp_path, STACKS, ORCHESTRATE_FLEET_DATABASE=server.database()) as made:
        yield made


def test_a_killed_workers_stacks_go_on_with_another_and_two_submitters_get_one_order(fleet: PlayedFleet) -> None:
    one, other = fleet.worker(), fleet.worker()
    orders = [fleet.run("rest"), fleet.run("rest")]
    until("all that may be are under way", lambda: len(fleet.of("began")) == 4)
    lost = one if any(process == one.pid for _, process in fleet.of("began")) else other
    kept = other if lost is one else one
    left = {name for name, process in fleet.of("began") if process == lost.pid}
    lost.kill()
    until("its stacks are begun by the other", lambda: left <= {n for n, p in fleet.of("began") if p == kept.pid})
    fleet.open()
    assert [fleet.said(order) for order in orders] == [dict.fromkeys(STACKS, "succeeded")] * 2
    assert sorted(name for name, _ in fleet.of("done")) == list(STACKS)


def test_a_worker_that_stood_still_for_too_long_stops_and_does_nothing_twice(fleet: PlayedFleet) -> None:
    one = fleet.worker()
    order = fleet.run("1,rest")
    until("it is at work", lambda: fleet.began("a"))
    one.send_signal(signal.SIGSTOP)
    other = fleet.worker()
    until("the other has taken over", lambda: ("a", other.pid) in fleet.of("began"))
    one.send_signal(signal.SIGCONT)
    assert one.wait(PATIENCE) == 7
    assert ("a", one.pid) in fleet.of("stopped")
    fleet.open()
    assert fleet.said(order) == dict.fromkeys(STACKS, "succeeded")
    assert sorted(name for name, _ in fleet.of("done")) == list(STACKS)
    assert {process for _, process in fleet.of("done")} == {other.pid}


def test_one_that_leaves_is_followed_by_another(fleet: PlayedFleet) -> None:
    one = fleet.worker()
    order = fleet.run("1,rest")
    until("it is at work", lambda: fleet.began("a"))
    other = fleet.worker()
    one.terminate()
    assert one.wait(PATIENCE) == 130
    until("the other has taken over", lambda: ("a", other.pid) in fleet.of("began"))
    fleet.open()
    assert fleet.said(order) == dict.fromkeys(STACKS, "succeeded")
    assert sorted(name for name, _ in fleet.of("done")) == list(STACKS)


def test_every_stack_ends_up_whatever_happens_to_the_workers(server: DatabaseServer, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with played(tmp_path, MANY, ORCHESTRATE_FLEET_DATABASE=server.database()) as fleet:
        workers, lost = [fleet.worker() for _ in range(WORKERS)], set()
        order = fleet.run("10%,rest")
        for number in range(LOST):
            some = MANY[: (number + 1) * len(MANY) // (LOST + 2)]
            for name in some:
                fleet.open(f"gate-{name}")
            until("some more are done", partial(fleet.are_done, some))
            victim = workers.pop(chance.randrange(len(workers)))
            victim.send_signal(chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP)))
            lost.add(victim.pid)
            workers.append(fleet.worker())
            if number == LOST // 2:
                server.restart()
        fleet.open()
        assert fleet.said(order) == dict.fromkeys(MANY, "succeeded")
        done = fleet.of("done")
        assert {name for name, _ in done} == set(MANY)
        assert len(done) == len(set(done))
        # Done twice is only what a worker had done, and not recorded, when it was lost: that one, or all that it had.
        again = {process for at, (name, process) in enumerate(done) if name in {one for one, _ in done[at + 1 :]}}
        silent = [one for one in workers if one.pid in again - lost]  # it got no turn for a whole lease
        assert [one.wait(PATIENCE) for one in silent] == [7] * len(silent)
