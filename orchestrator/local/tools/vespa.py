"""The one container the doubles of docker and curl know: what it is, in files of its instance's.

Its state is a word in one file, which the faults write too; how it was made, and what it said, are in files beside it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

STATE = "ORCHESTRATE_LOCAL_VESPA"
"""Environment variable with the state file's path."""
RUNNING, EXITED, ABSENT = "running", "exited", "absent"
SILENT = "silent"
"""The container runs, its config server does not answer."""
UNPULLED = "unpulled"
"""There is no container, and no image to make one from."""
DOCKER_OFF = "docker-off"
"""The docker daemon does not run, and so nothing does."""
_WORDS = {RUNNING: "Starting services for container", EXITED: "Stopping services: got SIGTERM"}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Made:
    """How `docker run` made the container. The default is what user_data does."""

    image: str = "vespaengine/vespa:8.609.39"
    ports: tuple[int, ...] = (8081, 19071)
    volumes: tuple[str, ...] = ("/opt/vespa/var:/opt/vespa/var", "/opt/vespa/logs:/opt/vespa/logs")
    restart: str = "unless-stopped"


def state_file() -> Path:
    """The state file of the instance this runs on."""
    return Path(os.environ[STATE])


def state(file: Path) -> str:
    """`running` until something changed it: user_data has started it."""
    return file.read_text().strip() if file.exists() else RUNNING


def change(file: Path, to: str) -> None:
    """The container is started, stopped or removed. It says so, as Vespa's start script does."""
    file.write_text(to)
    if to in (ABSENT, UNPULLED):
        _log(file).unlink(missing_ok=True)
    if to not in _WORDS:
        return
    said = _WORDS[to]
    with _log(file).open("a") as log:
        log.write(f"{datetime.now(UTC).isoformat().replace('+00:00', '000Z')} {said}\n")


def made(file: Path) -> Made:
    """How the container there is was made."""
    beside = file.with_suffix(".made")
    if not beside.exists():
        return Made()
    said = json.loads(beside.read_text())
    return Made(said["image"], tuple(said["ports"]), tuple(said["volumes"]), said["restart"])


def make(file: Path, how: Made) -> None:
    """A new container, which runs."""
    file.with_suffix(".made").write_text(json.dumps(asdict(how)))
    change(file, RUNNING)


def lines(file: Path) -> list[str]:
    """What it has said, each line after its time (RFC 3339, nanoseconds) and a space."""
    return _log(file).read_text().splitlines() if _log(file).exists() else []


def started_at(file: Path) -> datetime:
    """When the container was started: long ago where user_data did it, or where it hangs."""
    if not file.exists() or state(file) == SILENT:
        return LONG_AGO
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def switch_daemon(file: Path, *, on: bool) -> None:
    """The daemon stops (and ends the container), or starts (the container with it, unless somebody stopped it)."""
    before = file.with_suffix(".before")
    if on and state(file) == DOCKER_OFF:
        change(file, before.read_text() if before.exists() else RUNNING)
        before.unlink(missing_ok=True)
    elif not on and state(file) != DOCKER_OFF:
        before.write_text(state(file))
        file.write_text(DOCKER_OFF)


def _log(file: Path) -> Path:
    return file.with_suffix(".log")
