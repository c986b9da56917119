"""The two containers that the doubles of docker and curl know, as files of their instance's.

The state of each is a word in one file, which the faults write too; how it was made, and what it said, are in files
beside it. Where nothing was changed, user_data has started Vespa.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

STATE = "ORCHESTRATE_LOCAL_VESPA"
"""Environment variable with the path of Vespa's state file; the other's is beside it."""
RUNNING, EXITED, ABSENT = "running", "exited", "absent"
SILENT = "silent"
"""The container runs, and answers nobody."""
HAS_RUN = 3600.0
"""Seconds for which one that falls silent has run already."""
UNPULLED = "unpulled"
"""There is no container, and no image to make one from."""
VESPA, OPENSEARCH = "vespa", "opensearch"
REPOSITORIES = {VESPA: "vespaengine/vespa", OPENSEARCH: "opensearchproject/opensearch"}
_SAID = {
    VESPA: ("Starting services for container", "Stopping services: got SIGTERM"),
    OPENSEARCH: ("[INFO ][o.o.n.Node] [node-1] initializing ...", "[INFO ][o.o.n.Node] [node-1] stopping ..."),
}


@dataclass(frozen=True, slots=True)
class ContainerSetup:
    """How `docker run` made the container."""

    image: str
    ports: tuple[int, ...]
    volumes: tuple[str, ...]
    restart: str = "unless-stopped"
    environment: tuple[str, ...] = ()


OF_USER_DATA: Mapping[str, ContainerSetup] = {
    VESPA: ContainerSetup(
        "vespaengine/vespa:8.609.39",
        (8081, 19071),
        ("/opt/vespa/var:/opt/vespa/var", "/opt/vespa/logs:/opt/vespa/logs"),
    ),
    OPENSEARCH: ContainerSetup(
        "opensearchproject/opensearch:3.6.0", (9200,), ("/opt/opensearch/data:/usr/share/opensearch/data",)
    ),
}


def state_file(name: str = VESPA) -> Path:
    """The state file of a container of the instance this runs on."""
    return beside(Path(os.environ[STATE]), name)


def beside(file: Path, name: str) -> Path:
    """The state file of the other container of the same instance."""
    return file.with_name(f"{name}.state")


def state(file: Path) -> str:
    """What user_data made of it until something changed it."""
    if file.exists():
        return file.read_text().strip()
    return RUNNING if file.stem == VESPA else ABSENT


def change(file: Path, to: str) -> None:
    """The container is started, stopped or removed, and says so, as its program does; or it falls silent."""
    file.write_text(to)
    if to == SILENT:
        long_ago = time.time() - HAS_RUN
        os.utime(file, (long_ago, long_ago))
        return
    if to == ABSENT:
        _log(file).unlink(missing_ok=True)
        return
    started, stopped = _SAID[file.stem]
    with _log(file).open("a") as log:
        log.write(
            f"{datetime.now(UTC).isoformat().replace('+00:00', '000Z')} {started if to == RUNNING else stopped}\n"
        )


def made(file: Path) -> ContainerSetup:
    """How the container there is was made."""
    how = file.with_suffix(".made")
    if not how.exists():
        return OF_USER_DATA[file.stem]
    said = json.loads(how.read_text())
    ports, volumes, environment = (tuple(said[key]) for key in ("ports", "volumes", "environment"))
    return ContainerSetup(said["image"], ports, volumes, said["restart"], environment)


def make(file: Path, how: ContainerSetup) -> None:
    """A new container, which runs."""
    file.with_suffix(".made").write_text(json.dumps(asdict(how)))
    change(file, RUNNING)


def lines(file: Path) -> list[str]:
    """What it has said, each line after its time (RFC 3339, nanoseconds) and a space."""
    return _log(file).read_text().splitlines() if _log(file).exists() else []


def changed_at(file: Path) -> datetime:
    """When its state became what it is."""
    if not file.exists():
        return datetime(2026, 1, 1, tzinfo=UTC)
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def runs(file: Path) -> bool:
    """Whether the container runs, and answers."""
    return daemon_runs(file) and state(file) == RUNNING


def daemon_runs(file: Path) -> bool:
    """Whether dockerd runs."""
    return not _down(file).exists()


def switch_daemon(file: Path, *, on: bool) -> None:
    """The daemon starts (the container with it, unless somebody stopped it) or stops (and ends the container)."""
    if on:
        _down(file).unlink(missing_ok=True)
    else:
        _down(file).touch()


def _down(file: Path) -> Path:
    """One daemon has both."""
    return file.with_name("vespa.dockerd-down")


def _log(file: Path) -> Path:
    return file.with_suffix(".log")
