"""A fleet's process whose stacks are files: `python -m tests.fleet.played FOLDER worker | run STACK…`.

Everything is the real thing but what is done at a stack: it writes a line when it begins (`began`), waits for the file
`gate-STACK` (or `gate`), and writes a line when it is done. `fails-STACK` makes it fail. It stops when it is asked to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.cli.edge import listen
from orchestrator.errors import Outcome
from orchestrator.fleet import file as fleet_file
from orchestrator.fleet.command import EXEC
from orchestrator.fleet.orders import StackResult
from orchestrator.fleet.service import FleetService
from orchestrator.local.core.waiting import eventually
from orchestrator.workflows import Cancellation

LONG = 600.0


class PlayedService(FleetService):
    """With played stacks."""

    folder: Path

    def _do(
        self, verb: str, stack: str, order: str, arguments: Sequence[str], cancellation: Cancellation
    ) -> StackResult:
        if verb == EXEC:
            return super()._do(verb, stack, order, arguments, cancellation)
        self.say(f"began {stack}")
        gates = (self.folder / "gate", self.folder / f"gate-{stack}")
        eventually(lambda: cancellation.requests > 0 or any(gate.exists() for gate in gates), LONG, 0.05)
        if cancellation.requests:
            self.say(f"stopped {stack}")
            return StackResult(stack, Outcome.INTERRUPTED.word)
        failed = (self.folder / f"fails-{stack}").exists()
        self.say(f"{'failed' if failed else 'done'} {stack}")
        said = {"step": "services", "subject": "a", "code": "broken", "detail": "it is broken", "fix": "mend it"}
        outcome = Outcome.FAILED if failed else Outcome.SUCCEEDED
        return StackResult(stack, outcome.word, 1, worker=self.worker_name, problems=(said,) if failed else ())

    def say(self, what: str) -> None:
        """One line, whole, also when several processes write."""
        with (self.folder / "log").open("a") as log:
            log.write(f"{what} {os.getpid()}\n")


def main(folder: Path, part: str, *arguments: str) -> None:
    fleet = fleet_file.read(folder / "fleet.toml", os.environ)
    service = PlayedService(fleet, {}, "here", os.getpid(), os._exit)
    service.folder = folder
    listen(service.ask_to_stop)
    with service.leaving():
        if part == "worker":
            assert service.begin()
            service.say("working")
            service.serve()
        engine = service.engine()
        sizes, stop_after = arguments[0], int(arguments[1]) or None
        verb = EXEC if arguments[2:] else "run"
        order = service.order(engine, verb, sizes=sizes, stop_after=stop_after, arguments=arguments[2:])
        seen = service.watch(engine, engine.submit(order), lambda one: None, work=True)
        sys.stdout.write(f"{' '.join(f'{one.stack}={one.outcome}' for one in seen.results)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
