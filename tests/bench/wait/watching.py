"""The truth about one service, looked at ten times a second beside the tool under test; and one run of a tool."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.stage import Stage
from tests.waiting import until

ONE = "customer-a"
LOOK = 0.1


@dataclass
class Truth:
    """Since when (monotonic seconds) the deployment that replaced `before` is good; None: it is not."""

    made: Stage
    before: str
    good_since: float | None = None
    began: float = 0.0
    """When the newest look that is over began."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.stopping.wait(LOOK):
            began = time.monotonic()
            self.good_since = (self.good_since or began) if self._is_good() else None
            self.began = began

    def at(self, moment: float) -> float | None:
        """Since when it was good at that moment, by the first look that began after it; None: it was not."""
        until("the truth is known", lambda: self.began >= moment)
        return self.good_since if self.good_since is not None and self.good_since <= self.began else None

    def _is_good(self) -> bool:
        service = self.made.service(ONE)
        primary = service["deployments"][0]
        return (
            len(service["deployments"]) == 1
            and primary["id"] != self.before
            and primary["rolloutState"] == "COMPLETED"
            and "rolling back" not in str(service["events"][:20])
            and service["runningCount"] == service["desiredCount"] > 0
            and health(self.made) == {"healthy"}
        )


def health(made: Stage) -> set[str]:
    """The states of the service's targets."""
    group = made.contract["tenants"][ONE]["target_group_arn"]
    found: list[dict[str, Any]] = made.aws.client("elbv2").describe_target_health(TargetGroupArn=group)[
        "TargetHealthDescriptions"
    ]
    return {one["TargetHealth"]["State"] for one in found}


@contextmanager
def truth(made: Stage, before: str) -> Iterator[Truth]:
    watched = Truth(made, before)
    thread = threading.Thread(target=watched.watch)
    thread.start()
    try:
        yield watched
    finally:
        watched.stopping.set()
        thread.join()


@dataclass(frozen=True)
class Result:
    """How a tool did. `status` None: it had not ended when it was ended; `lag` None: it was not good then."""

    status: int | None
    seconds: float
    lag: float | None
    calls: int
    peak_mib: float
    cpu: float
    """Seconds of processor time."""
    lives: int
    """Tasks of the deployment that had lived and died when it first named the cause, or ended without."""
    output: str

    @property
    def false_success(self) -> bool:
        return self.status == 0 and self.lag is None


@dataclass
class Observer:
    """What a process uses and says. `words` are those of which each names the cause of what it watches."""

    process: subprocess.Popen[bytes]
    made: Stage
    output: Path
    words: Sequence[str]
    peak: int = 0
    """Bytes."""
    cpu: float = 0.0
    lives: int | None = None
    """Tasks that had died when the cause was named; None: it never was."""

    def until(self, deadline: float) -> None:
        """Look until it ends, or the deadline passes."""
        seen = psutil.Process(self.process.pid)
        while self.process.poll() is None and time.monotonic() < deadline:
            with suppress(psutil.Error):
                self.peak = max(self.peak, seen.memory_info().rss)
                self.cpu = sum(seen.cpu_times()[:2])
            if self.lives is None and self.is_named():
                self.lives = dead(self.made)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.1)

    def is_named(self) -> bool:
        """Whether it has said what the cause is."""
        said = self.output.read_text()
        return any(word in said for word in self.words)


def dead(made: Stage) -> int:
    """How many tasks of the service's newest deployment have stopped."""
    service, ecs = made.service(ONE), made.aws.client("ecs")
    where = {"cluster": made.contract["cluster"]}
    arns = ecs.list_tasks(**where, serviceName=service["serviceName"], desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(**where, tasks=arns)["tasks"] if arns else []
    newest = service["deployments"][0]["id"]
    return sum(one["startedBy"] == newest and one["lastStatus"] == "STOPPED" for one in tasks)


def watched(
    made: Stage, command: Sequence[str], before: str, limit: float, output: Path, words: Sequence[str]
) -> Result:
    """Run the tool to its end, or for `limit` seconds, while the truth is looked at."""
    made.recorder.forget()
    started = time.monotonic()
    with truth(made, before) as seen, output.open("w+") as file:
        process = subprocess.Popen(command, env=made.environment(), cwd=made.work, stdout=file, stderr=file)
        observer = Observer(process, made, output, words)
        observer.until(started + limit)
        ended = time.monotonic()
        lives = dead(made) if observer.lives is None else observer.lives
        killed = process.poll() is None
        process.kill()
        process.wait()
        calls = len(made.recorder.calls)
        good_since = seen.at(ended)
        return Result(
            status=None if killed else process.returncode,
            seconds=ended - started,
            lag=None if good_since is None else max(0.0, ended - good_since),
            calls=calls,
            peak_mib=observer.peak / 2**20,
            cpu=observer.cpu,
            lives=lives,
            output=output.read_text(),
        )
