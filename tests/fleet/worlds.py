"""`make fleet`, its full form: 40 stacks made by the API in one local cloud, whose workers are lost again and again.

Not a part of the suite. It prints what it measures. `FLEET_SEED` repeats a run, `FLEET_STACKS` makes it smaller.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import tomlkit

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import LockOwner
from orchestrator.local.core import state
from orchestrator.local.core.waiting import eventually
from orchestrator.local.endpoint import client
from orchestrator.local.stories import three_stacks
from tests.fleet.database import DatabaseServer
from tests.waiting import until

pytestmark = pytest.mark.cloud

STACKS = int(os.environ.get("FLEET_STACKS", "40"))
LOST = max(2, STACKS // 2)
WORKERS = 3
LEASE = 20
SPEED = 60.0
LONG = 7200.0
"""Seconds: an order of all stacks on a busy machine."""
CHANGES = ("ecs:UpdateService", "route53:ChangeResourceRecordSets", "elasticache:ModifyReplicationGroup")
"""What a first run sends that adds one more each time, or that is seen by visitors."""
say = logging.getLogger(__name__).info


@dataclass
class Worlds:
    """The stacks, their cloud, and the processes that work on them."""

    folder: Path
    running: state.Running
    environment: Mapping[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "fleet.toml"

    def starts(self, *words: str, database: str = "") -> subprocess.Popen[str]:
        given = {"ORCHESTRATE_FLEET_DATABASE": database} if database else {}
        command = [sys.executable, "-P", "-m", "orchestrator", "fleet", *words, "--fleet", str(self.file)]
        made = subprocess.Popen(
            command, cwd=self.folder, env={**self.environment, **given}, stdout=subprocess.PIPE, text=True
        )
        self.started.append(made)
        return made

    def worker(self, database: str) -> subprocess.Popen[str]:
        made = self.starts("worker", database=database)
        assert made.stdout is not None
        assert made.stdout.readline().startswith("working as"), made.poll()
        return made

    def calls(self) -> Mapping[str, int]:
        return dict(client.ask(self.running, "status")["calls"])

    def changes(self) -> dict[str, int]:
        seen = self.calls()
        return {name: sum(many for call, many in seen.items() if _same(call, name)) for name in CHANGES}

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(60)


def _same(call: str, name: str) -> bool:
    service, _, action = name.partition(":")
    return call.lower().replace(".", ":").endswith(f"{service}:{action}".lower())


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    folder = tmp_path_factory.mktemp("worlds")
    cloud = folder / "cloud"
    began = time.monotonic()
    running = client.up("worlds", cloud, speed=SPEED, quotas=STACKS)
    try:
        three_stacks.make(running, folder, STACKS)
        table = tomlkit.parse((folder / "fleet.toml").read_text())
        table["lease"] = LEASE
        table["limits"] = {"worker": 4, "account": 50}
        (folder / "fleet.toml").write_text(tomlkit.dumps(table))
        say("%d stacks were made in %.0f s", STACKS, time.monotonic() - began)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        made = Worlds(folder, running, {**kept, "HOME": str(folder)})
        try:
            yield made
        finally:
            made.end()
    finally:
        client.down(cloud)


def results(process: subprocess.Popen[str]) -> dict[str, dict[str, object]]:
    """Stack → how it ended, as the report says; the process has ended."""
    text, _ = process.communicate(timeout=LONG)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return {line["stack"]: line for line in lines if line["event"] == "stack-finished"}


def all_succeeded(process: subprocess.Popen[str]) -> dict[str, dict[str, object]]:
    found = results(process)
    bad = {name: (one["outcome"], one["problems"]) for name, one in found.items() if one["outcome"] != "succeeded"}
    assert (len(found), bad) == (STACKS, {})
    assert process.returncode == 0
    return found


def no_lock_is_held(worlds: Worlds) -> None:
    owner = LockOwner(run="looks", command="test", host="here", pid=os.getpid())
    for number in range(1, STACKS + 1):
        lock = FileLock(worlds.folder / f"stack-{number}" / ".orchestrate" / "orchestrate.lock")
        assert lock.take(owner) is None, number
        lock.give_back()


def at_work(url: str, pid: int) -> int:
    """Stacks that the worker of this process has under way, as the engine says."""
    with psycopg.connect(url) as database:
        row = database.execute(
            "SELECT count(*) FROM dbos.workflow_status WHERE status = 'PENDING' AND name = 'fleet-stack' "
            "AND executor_id LIKE %s",
            [f"%-{pid}-%"],
        ).fetchone()
    return int(row[0]) if row else 0


def rate(worlds: Worlds, url: str, workers: int, what: str) -> None:
    """How many stacks a minute so many workers look at, that need nothing."""
    working = [worlds.worker(url) for _ in range(workers)]
    began = time.monotonic()
    found = all_succeeded(worlds.starts("run", "--report", "json", database=url))
    seconds = time.monotonic() - began
    assert [name for name, one in found.items() if one["changed"]] == []
    calls = sum(int(str(one["aws_calls"])) for one in found.values())
    memory = [round(psutil.Process(one.pid).memory_info().rss / 2**20) for one in working]
    say("%s: %.1f stacks a minute, %.1f calls a stack, MiB %s", what, STACKS / seconds * 60, calls / STACKS, memory)
    for one in working:
        one.terminate()
        one.wait(300)


def test_whatever_happens_to_the_workers_each_stack_comes_up_once(worlds: Worlds, server: DatabaseServer) -> None:
    url = server.database()
    chance = random.Random(int(os.environ.get("FLEET_SEED", "1")))
    before = worlds.changes()
    workers = [worlds.worker(url) for _ in range(WORKERS)]
    began = time.monotonic()
    submitters = [worlds.starts("run", "--wave", "1,10%,rest", "--report", "json", database=url) for _ in range(2)]

    handed_on: list[float] = []
    stopped: list[subprocess.Popen[str]] = []
    for number in range(LOST):
        eventually(lambda: all(one.poll() is not None for one in submitters), chance.uniform(1.0, 12.0))
        victim = workers.pop(chance.randrange(len(workers)))
        if number == LOST // 3:
            victim.send_signal(signal.SIGSTOP)
            stopped.append(victim)
        else:
            victim.kill()
        workers.append(worlds.worker(url))
        if number < 6:
            lost = time.monotonic()
            until("another has taken its stacks", lambda pid=victim.pid: at_work(url, pid) == 0)  # type: ignore[misc]
            handed_on.append(time.monotonic() - lost)
        for one in stopped:
            one.send_signal(signal.SIGCONT)
        if number == LOST // 2:
            server.restart()
    reports = [all_succeeded(one) for one in submitters]
    seconds = time.monotonic() - began
    say("%d stacks came up in %.0f s while %d workers were lost", STACKS, seconds, LOST)
    say("a lost worker's stacks were another's after %s s (lease %d)", [round(one) for one in handed_on], LEASE)
    assert [one.wait(300) for one in stopped] == [7] * len(stopped)
    assert {name: one["changed"] for name, one in reports[0].items()} == {
        name: one["changed"] for name, one in reports[1].items()
    }
    after = worlds.changes()
    sent = {name: after[name] - before[name] for name in CHANGES}
    say("changes sent: %s", sent)
    for one in workers:
        one.terminate()
        one.wait(300)
    no_lock_is_held(worlds)
    rate(worlds, url, 1, "1 worker")
    assert worlds.changes() == after
    rate(worlds, url, 2, "2 workers")
    rate(worlds, url, 3, "3 workers")


def killed_and_started_again(
    worlds: Worlds, words: Sequence[str], times: int, chance: random.Random
) -> dict[str, dict[str, object]]:
    for _ in range(times):
        one = worlds.starts(*words)
        if eventually(lambda process=one: process.poll() is not None, chance.uniform(8.0, 25.0)):  # type: ignore[misc]
            break
        one.kill()
        one.wait(60)
    return all_succeeded(worlds.starts(*words))


def test_on_sqlite_the_one_worker_is_killed_and_started_again(worlds: Worlds) -> None:
    chance = random.Random(int(os.environ.get("FLEET_SEED", "1")))
    killed_and_started_again(worlds, ("pause", "--auto-approve", "--report", "json"), 4, chance)
    no_lock_is_held(worlds)
    resumed = killed_and_started_again(worlds, ("resume", "--report", "json"), 4, chance)
    saved = [float(str(one["saved"])) for one in resumed.values()]
    say("the pauses saved $%.4f, as estimated", sum(saved))
    assert sum(saved) > 0
    no_lock_is_held(worlds)
    all_succeeded(worlds.starts("status", "--report", "json"))
