"""The process of one local cloud: `python -m orchestrator.local.endpoint.daemon --dir D`. Runs until a signal."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

import trustme

from orchestrator.local.core import state
from orchestrator.local.core.cloud import Cloud, running
from orchestrator.local.core.faults import Faults
from orchestrator.local.core.pace import Pace
from orchestrator.local.endpoint import server
from orchestrator.local.endpoint.client import RECORDS


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.local.endpoint.daemon", description=__doc__)
    parser.add_argument(
        "--dir", type=Path, required=True, help="the cloud's folder, claimed by the process that starts this one"
    )
    parser.add_argument("--name", default="default")
    parser.add_argument("--speed", type=float, default=20.0, help="how many times shorter delays are than on AWS")
    parser.add_argument("--port", type=int, default=0, help="of the AWS endpoint; 0: any free one")
    parser.add_argument("--page", type=int, default=0, help="most items on one page of a list; 0: as on AWS")
    parser.add_argument(
        "--late", type=float, default=0.0, help="for how many real seconds reads may miss a change; 0: never"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed for how late reads show a change")
    parser.add_argument(
        "--rates", type=float, help="how many times faster AWS's rate limits refill; default: as the speed"
    )
    parser.add_argument("--quotas", type=int, default=1, help="how many times AWS's quotas, where they can be raised")
    parser.add_argument("--enforce-iam", action="store_true", help="check every call against IAM policies")
    return parser.parse_args(argv)


def _logger() -> Callable[[str], None]:
    lock = threading.Lock()

    def log(line: str) -> None:
        with lock:
            sys.stdout.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}\n")
            sys.stdout.flush()

    return log


def make(directory: Path, name: str, speed: float) -> Cloud:
    """A cloud with a certificate authority of its own, not yet running."""
    cloud = Cloud(directory=directory, pace=Pace(speed), ca=trustme.CA(), faults=Faults(), log=_logger(), name=name)
    cloud.ca.cert_pem.write_to_path(cloud.ca_file)
    cloud.bin = directory / "bin"
    cloud.bin.mkdir(exist_ok=True)
    return cloud


def main(argv: list[str] | None = None) -> int:
    """Run one cloud; `cloud.json` appears when all of it answers and goes when it stops."""
    options = _arguments(argv)
    stopping: SimpleQueue[int] = SimpleQueue()  # not an Event, whose lock the handler would wait for in vain
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.put(number))
    (options.dir / state.MARKER).write_text(str(os.getpid()))
    server.configure()
    cloud = make(options.dir, options.name, options.speed)
    cloud.enforces_iam, cloud.page = options.enforce_iam, options.page
    cloud.late, cloud.seed = options.late, options.seed
    cloud.rates, cloud.quotas = options.rates, options.quotas

    from orchestrator.local.core import corrections  # noqa: PLC0415 - imports moto, which reads its settings then

    corrections.install(cloud)
    with ExitStack() as stack:
        stack.callback(server.serve(cloud, options.port))
        stack.enter_context(running(cloud))
        state.write(options.dir, _described(cloud))
        stack.callback((options.dir / "cloud.json").unlink, missing_ok=True)
        cloud.log(f"up at {cloud.endpoint}, speed {cloud.pace.speed}, seed {cloud.seed}")
        stopping.get()
        cloud.log("going down")
        if folder := os.environ.get(RECORDS):
            cloud.record.write(Path(folder) / f"{os.getpid()}.json")
    cloud.log("down")
    return 0


def _described(cloud: Cloud) -> state.Running:
    return state.Running(
        name=cloud.name,
        pid=os.getpid(),
        endpoint=cloud.endpoint,
        speed=cloud.pace.speed,
        ca_file=str(cloud.ca_file),
        resolver=cloud.resolver,
        site_port=cloud.site_port,
    )


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # everything is stopped; to clear moto's objects one by one takes the interpreter up to 20 s
