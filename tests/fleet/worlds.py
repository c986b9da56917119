"""Stacks made by the API in one local cloud, the processes that work on them, and what AWS was sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import tomlkit

from orchestrator.engine.file_lock import FileLock
from orchestrator.engine.lock import LockOwner
from orchestrator.local.core import state
from orchestrator.local.endpoint import client
from orchestrator.local.stories import three_stacks
from tests.fleet.processes import LEASE, end_all
from tests.recorded_calls import OURS
from tests.waiting import PATIENCE

SPEED = 60.0
LONG = 7200.0
"""Seconds: an order of all stacks on a busy machine."""
WORKING = "working as"
CHANGES = ("ecs.UpdateService", "route53.ChangeResourceRecordSets", "elasticache.ModifyReplicationGroup")
"""What a first run sends that adds one more each time, or that visitors notice."""
Report = dict[str, dict[str, Any]]
"""Stack → its line of the report."""


@dataclass
class Worlds:
    """The fleet."""

    folder: Path
    stacks: int
    running: state.Running
    environment: Mapping[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "fleet.toml"

    def limit(self, **limits: int) -> None:
        """How many stacks go at the same time."""
        table = tomlkit.parse(self.file.read_text())
        table["lease"] = LEASE
        table["limits"] = limits
        self.file.write_text(tomlkit.dumps(table))

    def starts(self, *words: str, database: str = "") -> subprocess.Popen[str]:
        """`orchestrate fleet …`."""
        given = {"ORCHESTRATE_FLEET_DATABASE": database} if database else {}
        command = [sys.executable, "-P", "-m", "orchestrator", "fleet", *words, "--fleet", str(self.file)]
        environment = {**self.environment, **given}
        made = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, text=True)
        self.started.append(made)
        return made

    def worker(self, database: str) -> subprocess.Popen[str]:
        made = self.starts("worker", database=database)
        assert made.stdout is not None
        assert made.stdout.readline().startswith(WORKING), made.poll()
        return made

    def succeeded(self, process: subprocess.Popen[str]) -> Report:
        """The report of an order that brought every stack to where it shall be."""
        text, _ = process.communicate(timeout=LONG)
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        found = {line["stack"]: line for line in lines if line["event"] == "stack-finished"}
        bad = {name: (one["outcome"], one["problems"]) for name, one in found.items() if one["outcome"] != "succeeded"}
        assert (len(found), bad, process.returncode) == (self.stacks, {}, 0)
        return found

    def sent(self) -> dict[str, tuple[int, int, int]]:
        """Of each of `CHANGES`: how many were sent, how many different ones were made, how often one was at most."""
        sent, made = Counter[str](), {name: Counter[str]() for name in CHANGES}
        for one in self.calls():
            if one["operation"] in CHANGES:
                sent[one["operation"]] += one["calls"]
                made[one["operation"]].update(one["made"])
        return {name: (sent[name], len(made[name]), max(made[name].values(), default=0)) for name in CHANGES}

    def calls(self) -> list[dict[str, Any]]:
        """The product's, as the local cloud has recorded them."""
        return [one for one in client.ask(self.running, "calls") if OURS in one["agent"]]

    def no_lock_is_held(self) -> None:
        owner = LockOwner(run="looks", command="test", host="here", pid=os.getpid())
        for number in range(1, self.stacks + 1):
            lock = FileLock(self.folder / f"stack-{number}" / ".orchestrate" / "orchestrate.lock")
            assert lock.take(owner) is None, number
            lock.give_back()

    def end(self) -> None:
        end_all(self.started)


@contextmanager
def worlds(folder: Path, stacks: int) -> Iterator[Worlds]:
    cloud = folder / "cloud"
    running = client.up("worlds", cloud, speed=SPEED, quotas=stacks)
    try:
        three_stacks.make(running, folder, stacks)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        made = Worlds(folder, stacks, running, {**kept, "HOME": str(folder)})
        try:
            yield made
        finally:
            made.end()
    finally:
        client.down(cloud)


def at_work(url: str, pid: int) -> int:
    """Stacks that the worker of this process has under way, as the engine says."""
    return _counted(url, "status = 'PENDING' AND executor_id LIKE %s", f"%-{pid}-%")


def ended(url: str) -> int:
    """Stacks that have come to their end."""
    return _counted(url, "status = %s", "SUCCESS")


def _counted(url: str, condition: str, value: str) -> int:
    with psycopg.connect(url) as database:
        asked = f"SELECT count(*) FROM dbos.workflow_status WHERE name = 'fleet-stack' AND {condition}"
        row = database.execute(asked.encode(), [value]).fetchone()
    return int(row[0]) if row else 0


def processor_seconds(process: subprocess.Popen[str]) -> float:
    """That a process, and those it started and waited for, have used."""
    used = psutil.Process(process.pid).cpu_times()
    return used.user + used.system + used.children_user + used.children_system


class Handovers:
    """How long the stacks of lost workers wait until another one has them: looked at twice a second, in a thread."""

    def __init__(self, url: str) -> None:
        self.seconds: list[float] = []
        self._url = url
        self._waiting: dict[int, float] = {}
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._looks, daemon=True)

    def __enter__(self) -> Handovers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)

    def lost(self, process: subprocess.Popen[str]) -> None:
        with self._guard:
            self._waiting[process.pid] = time.monotonic()

    @property
    def are_over(self) -> bool:
        with self._guard:
            return not self._waiting

    def _looks(self) -> None:
        while not self._ended.wait(0.5):
            with suppress(psycopg.OperationalError), self._guard:  # the server is restarted as well
                for pid in [pid for pid in self._waiting if not at_work(self._url, pid)]:
                    self.seconds.append(round(time.monotonic() - self._waiting.pop(pid), 1))
