"""Measures `orchestrate run`, `status` and `doctor` on a local cloud: seconds, AWS calls, memory, by number of tenants.

`python scripts/bench_steps.py 8 25`: for these. `--all`: for 1, 8, 50, 200 and 500, which takes an hour.

Promised is what a command asks of AWS (`PROMISED`: so many calls and so many for each tenant, at most), and that a run
that changes nothing is refused no call for its rate. Exit status 1 when a promise is broken. Seconds and memory are to
be compared with earlier ones on the same machine. The cloud is fast (`SPEED`), so most of the time is what really
happens: processes, imports, bash, psql, TLS. AWS's rates count in real seconds there, which is stricter than AWS:
rollouts that take minutes there are watched for seconds here. The last column says how many calls were refused for
their rate, of which operations, and then sent again: each is among the calls. What is changed shows at once: how late
it would show is chance, and no work of ours.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.local import world
from orchestrator.local.core import api, state
from orchestrator.local.endpoint import client

SPEED = 300
TENANTS = (1, 8, 50)
ALL = (*TENANTS, 200, 500)
PROMISED = {"run again": 150, "status": 200, "doctor": 400}
"""Command → AWS calls at most, of up to 500 tenants."""


def main() -> int:
    """Exit status 1 when a run does not end as it should."""
    good = True
    print(
        f"{'tenants':>7}  {'command':<22} {'outcome':<10} {'changed':>7} {'seconds':>8} {'AWS calls':>9} {'MiB':>5} "
        f"{'refused':>7}"
    )
    for tenants in map(int, ALL if sys.argv[1:] == ["--all"] else sys.argv[1:] or TENANTS):
        with tempfile.TemporaryDirectory() as folder:
            good &= measure(Path(folder), tenants)
    return int(not good)


def measure(folder: Path, tenants: int) -> bool:
    """One cloud, one stack: `run`, `run` again, `status`, `doctor`."""
    running = client.up("bench", folder / "cloud", speed=SPEED, rates=1.0, late=False)
    try:
        exports: Mapping[str, str] = client.ask(running, "env")
        environment = {**os.environ, **exports}
        names = [f"customer-{number:03}" for number in range(tenants)]
        contract = folder / "contract.json"
        contract.write_text(json.dumps(world.build(api.session(exports), endpoint=running.endpoint, tenants=names)))
        certified(contract, environment)
        names = ("run", "run again", "status", "doctor")
        shown = [show(running, tenants, name, contract, environment) for name in names]
    finally:
        client.down(folder / "cloud")
    return all(shown)


def certified(contract: Path, environment: Mapping[str, str]) -> None:
    """What Terraform has done during an apply: the certificate is issued."""
    argv = [sys.executable, "-m", "orchestrator", "certificate", "--json", "--contract", str(contract)]
    subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=True)


def show(running: state.Running, tenants: int, name: str, contract: Path, environment: Mapping[str, str]) -> bool:
    """Run one command and print a line of the table from its last event, and from what the cloud refused.

    Whether it ended as it should, within what is promised.
    """
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
    most = "".join(f"  {name} {times}" for name, times in refused.most_common(3))
    print(
        f"{tenants:>7}  {name:<22} {last['outcome']:<10} {last['changed']:>7} {last['seconds']:>8.1f} "
        f"{last['aws_calls']:>9} {used.ru_maxrss / 1024:>5.0f} {refused.total():>7}{most}",
        flush=True,
    )
    calm = name != "run again" or (last["changed"] == 0 and not refused)
    kept = last["aws_calls"] <= PROMISED.get(name, last["aws_calls"])
    return last["outcome"] == "succeeded" and calm and kept


if __name__ == "__main__":
    sys.exit(main())
