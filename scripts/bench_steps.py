"""Measures `orchestrate run`, `status` and `doctor` on a local cloud: seconds, AWS calls, memory, by number of tenants.

The first line of each number is the making of the stack by the API, with the memory of the cloud's own process.

`python scripts/bench_steps.py 8 25`: for these. `--all`: for 1, 8, 50, 200 and 500, which takes an hour.

Promised is what a command asks of AWS (`PROMISED`: so many calls at most), that a run that changes nothing is refused
no call for its rate and takes no more than `MEMORY` for each tenant, and what the local cloud takes (`WORLD`). Exit
status 1 when a promise is broken. Seconds are to be compared with earlier ones on the same machine, those of a
processor also with others'. The cloud is fast (`SPEED`), so most of the time is what really happens: processes,
imports, bash, psql, TLS. AWS's rates count in real seconds there, which is stricter than AWS: rollouts that take
minutes there are watched for seconds here. The last column says how many calls were refused for their rate, of which
operations, and then sent again: each is among the calls. What is changed shows at once: how late it would show is
chance, and no work of ours.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from orchestrator.local import world
from orchestrator.local.core import api, state
from orchestrator.local.endpoint import client

SPEED = 300
TENANTS = (1, 8, 50)
ALL = (*TENANTS, 200, 500)
PROMISED = {"run again": 150, "status": 200, "doctor": 400}
"""Command → AWS calls at most, of up to 500 tenants."""
WORLD = (60.0, 600)
"""Seconds, on two cores that nobody else uses, and MiB, of up to 500 tenants."""
MEMORY = 0.1
"""MiB a tenant, of a run that changes nothing."""
AGAIN = "run again"


def main() -> int:
    """Exit status 1 when a run does not end as it should."""
    good = True
    print(
        f"{'tenants':>7}  {'command':<22} {'outcome':<10} {'changed':>7} {'seconds':>8} {'CPU s':>6} {'AWS calls':>9} "
        f"{'MiB':>5} {'refused':>7}"
    )
    memory: dict[int, float] = {}
    for tenants in map(int, ALL if sys.argv[1:] == ["--all"] else sys.argv[1:] or TENANTS):
        with tempfile.TemporaryDirectory() as folder:
            shown = measure(Path(folder), tenants)
        good &= all(one.good for one in shown)
        memory[tenants] = next(one.mib for one in shown if one.name == AGAIN)
    fewest, most = min(memory), max(memory)
    if most > fewest:
        growth = (memory[most] - memory[fewest]) / (most - fewest)
        print(f"a run that changes nothing: {growth:.2f} MiB more a tenant, promised <= {MEMORY}")
        good &= growth <= MEMORY
    return int(not good)


@dataclass(frozen=True)
class Line:
    """One line of the table: whether it ended as it should, within what is promised."""

    name: str
    mib: float
    good: bool


def measure(folder: Path, tenants: int) -> list[Line]:
    """One cloud, one stack: `run`, `run` again, `status`, `doctor`."""
    running = client.up("bench", folder / "cloud", speed=SPEED, rates=1.0, late=False)
    try:
        exports: Mapping[str, str] = client.ask(running, "env")
        environment = {**os.environ, **exports}
        names = [f"customer-{number:03}" for number in range(tenants)]
        contract = folder / "contract.json"
        made = make(running, names, contract, exports)
        certified(contract, environment)
        shown = [show(running, tenants, name, contract, environment) for name in ("run", AGAIN, "status", "doctor")]
    finally:
        client.down(folder / "cloud")
    return [made, *shown]


def make(running: state.Running, names: list[str], contract: Path, exports: Mapping[str, str]) -> Line:
    """The stack, by the API."""
    cloud, began = psutil.Process(running.pid), time.monotonic()
    before = cloud.cpu_times()
    contract.write_text(json.dumps(world.build(api.session(exports), endpoint=running.endpoint, tenants=names)))
    seconds, after = time.monotonic() - began, cloud.cpu_times()
    used = after.user + after.system - before.user - before.system
    mib, calls = cloud.memory_info().rss / 2**20, sum(client.ask(running, "status")["calls"].values())
    print(
        f"{len(names):>7}  {'stack by the API':<29} {'':>11} {seconds:>8.1f} {used:>6.1f} {calls:>9} {mib:>5.0f}",
        flush=True,
    )
    return Line("stack", mib, seconds <= WORLD[0] and mib <= WORLD[1])


def certified(contract: Path, environment: Mapping[str, str]) -> None:
    """What Terraform has done during an apply: the certificate is issued."""
    argv = [sys.executable, "-m", "orchestrator", "certificate", "--json", "--contract", str(contract)]
    subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=True)


def show(running: state.Running, tenants: int, name: str, contract: Path, environment: Mapping[str, str]) -> Line:
    """Run one command and print a line of the table from its last event, and from what the cloud refused."""
    before = Counter[str](client.ask(running, "status")["too_fast"])
    command = name.partition(" ")[0]
    argv = [sys.executable, "-m", "orchestrator", command, "--json", "--poll", "0.5", "--contract", str(contract)]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(argv, env=environment, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        lines = said.read().splitlines()
    last: Mapping[str, Any] = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    if last.get("event") != "run-finished":
        raise SystemExit(f"{shlex.join(argv)} ended with {process.returncode}: {lines[-5:]}")
    refused = Counter[str](client.ask(running, "status")["too_fast"]) - before
    processor, mib = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    most = "".join(f"  {name} {times}" for name, times in refused.most_common(3))
    print(
        f"{tenants:>7}  {name:<22} {last['outcome']:<10} {last['changed']:>7} {last['seconds']:>8.1f} "
        f"{processor:>6.1f} {last['aws_calls']:>9} {mib:>5.0f} {refused.total():>7}{most}",
        flush=True,
    )
    calm = name != AGAIN or (last["changed"] == 0 and not refused)
    kept = last["aws_calls"] <= PROMISED.get(name, last["aws_calls"])
    return Line(name, mib, last["outcome"] == "succeeded" and calm and kept)


if __name__ == "__main__":
    sys.exit(main())
