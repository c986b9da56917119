"""Where a run keeps what it needs, and what tells the next one what it has made: `.orchestrate/smoke/STACK-ACCOUNT`.

A folder is there before anything is made, and until nothing of it is left. Only what a folder tells of is ever deleted.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from orchestrator.local.core.waiting import eventually
from orchestrator.local.stories.demo.stage import StoryError
from tests.smoke.account import Account
from tests.smoke.kinds import Stack

TENANT = "smoke"
SECONDS_TO_END = 300.0
"""What an interrupted Terraform is given for its end: it waits for what it has just asked for."""
_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made. `mark`, the second half of the stack's name, is another one each time, so that the name is ours."""

    name: str
    mark: str
    account: str
    region: str
    hostname: str | None
    zone: str | None

    @property
    def stack(self) -> str:
        """The stack's name."""
        return f"{self.name}-{self.mark}"

    @property
    def site(self) -> str:
        """The site's name."""
        return self.hostname or f"{self.stack}.invalid"

    def of(self, account: Account) -> Stack:
        """As it is looked for. Raises AccountError for a zone that the account hasn't got."""
        zone = account.zone(self.zone) if self.zone else ""
        return Stack(account, self.stack, TENANT, self.mark, self.site, zone)


def begun(work: Path, plan: Plan) -> Path:
    """A folder for this plan."""
    folder = work / f"{plan.stack}-{plan.account}"
    folder.mkdir(parents=True)
    (folder / _PLAN).write_text(json.dumps(asdict(plan)))
    return folder


def earlier(work: Path, account: str) -> list[tuple[Path, Plan]]:
    """The folders of runs in this account that came to no end."""
    found = [(file.parent, Plan(**json.loads(file.read_text()))) for file in sorted(work.glob(f"*/{_PLAN}"))]
    return [(folder, plan) for folder, plan in found if plan.account == account]


def forget(folder: Path) -> None:
    """Nothing of it is left."""
    shutil.rmtree(folder)


@contextmanager
def alone(work: Path) -> Iterator[None]:
    """One run at a time: another one's folder is not a dead one's. Raises StoryError."""
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / ".lock", timeout=0):
            yield
    except Timeout:
        raise StoryError(f"another run is at work in {work.absolute()}") from None


def end_those_in(folder: Path, say: Callable[[str], None]) -> None:
    """What a killed run has started and still works in its folder: interrupted, and killed only if it doesn't end.

    Terraform hears one interrupt only (two make it drop everything): of a family, its eldest is asked.
    """
    working = _working_in(folder)
    eldest = [one for one in working if one.ppid() not in {other.pid for other in working}]
    for process in eldest:
        say(f"still at work: {' '.join(process.cmdline()[:6])} (process {process.pid}); interrupted")
        process.terminate()
    eventually(lambda: not _working_in(folder), SECONDS_TO_END, 1.0)
    for process in _working_in(folder):
        process.kill()


def _working_in(folder: Path) -> list[psutil.Process]:
    inside, found = f"{folder.resolve()}/", []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and f"{process.cwd()}/".startswith(inside):
                found.append(process)
        except psutil.Error:
            continue  # it ended meanwhile, or is not ours
    return found
