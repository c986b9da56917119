"""Stacks in one local cloud come up, each once, whatever happens to the workers; `make fleet` takes 40 of them.

It logs what it measures. `FLEET_SEED` repeats a run, `FLEET_STACKS` makes it smaller.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from orchestrator.local.core.waiting import eventually
from tests.fleet.database import DatabaseServer
from tests.fleet.worlds import Handovers, Report, Worlds, at_work, ended, processor_seconds, worlds
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.cloud

FULL = os.environ.get("FLEET") == "full"
STACKS = int(os.environ.get("FLEET_STACKS", "40" if FULL else "3"))
LOST = max(1, STACKS // 2)
WORKERS = 3 if FULL else 2
SEED = int(os.environ.get("FLEET_SEED", "1"))
OFTEN = 0.5
FENCED = 7
"""Exit status of a worker that could not send heartbeats."""
say = logging.getLogger(__name__).info


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Worlds]:
    began = time.monotonic()
    with worlds(tmp_path, STACKS) as made:
        say("%d stacks were made in %.0f s", STACKS, time.monotonic() - began)
        yield made


def test_whatever_happens_to_the_workers_each_stack_comes_up_once(fleet: Worlds, server: DatabaseServer) -> None:
    fleet.limit(worker=2, account=50)
    url = server.database()
    workers = [fleet.worker(url) for _ in range(WORKERS)]
    began = time.monotonic()
    submitters = [fleet.starts("run", "--wave", "1,10%,rest", "--report", "json", database=url) for _ in range(2)]
    fenced = workers_are_lost(fleet, server, url, workers)
    reports = [fleet.succeeded(one) for one in submitters]
    say("%d stacks came up in %.0f s while workers were lost", STACKS, time.monotonic() - began)
    assert [one.wait(PATIENCE) for one in fenced] == [FENCED]
    assert reports[0] == reports[1]
    sent = fleet.sent()
    say("sent, made, one at most: %s; %d calls", sent, sum(one["calls"] for one in fleet.calls()))
    assert {name: made for name, (_, *made) in sent.items()} == made_for(STACKS)
    for one in workers:
        one.terminate()
        one.wait(PATIENCE)
    fleet.no_lock_is_held()
    for number in range(1, WORKERS + 1):
        looked_at(fleet, url, number)
    assert fleet.sent() == sent


def made_for(stacks: int) -> dict[str, list[int]]:
    """How many changes the first runs of so many stacks make, and how often each."""
    return {
        "ecs.UpdateService": [stacks, 1],  # the redeploy
        "route53.ChangeResourceRecordSets": [stacks, 1],
        "elasticache.ModifyReplicationGroup": [2 * stacks, 1],  # the token's rotation, and its end
    }


def workers_are_lost(
    fleet: Worlds, server: DatabaseServer, url: str, workers: list[subprocess.Popen[str]]
) -> list[subprocess.Popen[str]]:
    """`LOST` workers are killed while they have work, one is stopped for longer than its lease; the database restarts.

    Gives the one that was stopped, which goes on by now.
    """
    chance = random.Random(SEED)
    stopped, fenced = chance.randrange(LOST), list[subprocess.Popen[str]]()
    with Handovers(url) as handovers:
        for number in range(LOST + 1):
            workers.append(fleet.worker(url))
            enough = number * STACKS // (LOST + 3)
            until(f"{enough} stacks have ended", lambda least=enough: ended(url) >= least, often=OFTEN)  # type: ignore[misc]
            eventually(lambda: False, chance.uniform(0.0, 3.0))
            at = until("a worker has work", lambda: [one for one in workers if at_work(url, one.pid)], often=OFTEN)
            victim = chance.choice(at)
            workers.remove(victim)
            victim.send_signal(signal.SIGSTOP if number == stopped else signal.SIGKILL)
            handovers.lost(victim)
            if number == stopped:
                until("another has its stacks", lambda one=victim: not at_work(url, one.pid), often=OFTEN)  # type: ignore[misc]
                victim.send_signal(signal.SIGCONT)
                fenced.append(victim)
            if number == LOST // 2:
                server.restart()
        until("all stacks of lost workers are others'", lambda: handovers.are_over, often=OFTEN)
    say("%d workers were lost; others had their stacks after %s s", LOST + 1, handovers.seconds)
    return fenced


def looked_at(fleet: Worlds, url: str, workers: int) -> None:
    """A run of all stacks, which need nothing, by so many workers: what it takes."""
    working = [fleet.worker(url) for _ in range(workers)]
    before, began = sum(map(processor_seconds, working)), time.monotonic()
    report: Report = fleet.succeeded(fleet.starts("run", "--report", "json", database=url))
    seconds = time.monotonic() - began
    used = sum(map(processor_seconds, working)) - before
    assert [name for name, one in report.items() if one["changed"]] == []
    calls = sum(one["aws_calls"] for one in report.values())
    memory = [psutil.Process(one.pid).memory_info().rss >> 20 for one in working]
    say(
        "%d worker(s): %.1f stacks a minute; a stack: %.1f calls, %.1f s of a processor; MiB %s",
        workers,
        STACKS / seconds * 60,
        calls / STACKS,
        used / STACKS,
        memory,
    )
    for one in working:
        one.terminate()
        one.wait(PATIENCE)


def killed_and_started_again(fleet: Worlds, words: Sequence[str], times: int) -> Report:
    """The same command, until it is left alone."""
    chance = random.Random(SEED)
    for _ in range(times):
        one = fleet.starts(*words)
        until("a stack is under way", lambda: [*fleet.folder.glob("stack-*/.orchestrate/orchestrate.lock.json")])
        eventually(lambda: False, chance.uniform(0.0, 5.0))
        one.kill()
        one.wait(PATIENCE)
    return fleet.succeeded(fleet.starts(*words))


def test_on_sqlite_the_one_worker_is_killed_and_started_again(fleet: Worlds) -> None:
    killed_and_started_again(fleet, ("run", "--wave", "1,10%,rest", "--report", "json"), LOST // 2 + 1)
    fleet.no_lock_is_held()
    sent = fleet.sent()
    say("sent, made, one at most: %s", sent)
    assert {name: made for name, (_, *made) in sent.items()} == made_for(STACKS)
    again = fleet.succeeded(fleet.starts("run", "--report", "json"))
    assert [name for name, one in again.items() if one["changed"]] == []
    assert fleet.sent() == sent
