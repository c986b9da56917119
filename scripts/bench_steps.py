"""Measures `orchestrate run`, `status` and `doctor` on a local cloud: seconds and AWS calls, for numbers of tenants.

`python scripts/bench_steps.py 8 25`: for these.

It promises nothing: the numbers are to be compared with earlier ones on the same machine. The cloud is fast
(`SPEED`), so most of the time is what really happens: processes, imports, bash, psql, TLS. AWS's rates count in real
seconds there, which is stricter than AWS: rollouts that take minutes there are watched for seconds here. The last
column says how many calls were refused for their rate, of which operations, and then sent again: each is among the
calls. What is changed shows at once: how late it would show is chance, and no work of ours.
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
TENANTS = (1, 2, 8)


def main() -> int:
    """Exit status 1 when a run does not end as it should."""
    good = True
    print(
        f"{'tenants':>7}  {'command':<22} {'outcome':<10} {'changed':>7} {'seconds':>8} {'AWS calls':>9} {'refused':>7}"
    )
    for tenants in map(int, sys.argv[1:] or TENANTS):
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
        first, again, *looks = (
            show(running, tenants, command, contract, environment) for command in ("run", "run", "status", "doctor")
        )
    finally:
        client.down(folder / "cloud")
    good = all(last["outcome"] == "succeeded" for last in (first, again, *looks))
    return good and again["changed"] == 0


def show(
    running: state.Running, tenants: int, command: str, contract: Path, environment: Mapping[str, str]
) -> Mapping[str, Any]:
    """Run one command and print a line of the table from its last event, and from what the cloud refused."""
    before = Counter[str](client.ask(running, "status")["too_fast"])
    argv = [sys.executable, "-m", "orchestrator", command, "--json", "--poll", "0.5", "--contract", str(contract)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    last: Mapping[str, Any] = json.loads((done.stdout.splitlines() or ["{}"])[-1])
    if last.get("event") != "run-finished":
        raise SystemExit(f"{shlex.join(argv)} ended with {done.returncode}: {done.stderr}")
    refused = Counter[str](client.ask(running, "status")["too_fast"]) - before
    most = "".join(f"  {name} {times}" for name, times in refused.most_common(3))
    print(
        f"{tenants:>7}  orchestrate {command:<10} {last['outcome']:<10} {last['changed']:>7} {last['seconds']:>8.1f} "
        f"{last['aws_calls']:>9} {refused.total():>7}{most}",
        flush=True,
    )
    return last


if __name__ == "__main__":
    sys.exit(main())
