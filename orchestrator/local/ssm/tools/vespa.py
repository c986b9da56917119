"""The one container the doubles of docker and curl know: what it is, in files of its instance's.

Its state is a word in one file, which the faults write too; how it was made, and what it said, are in files beside it.
Its documents are a JSON file under /opt/vespa, which is on the instance's data volume where it has one: path of the
document (`NAMESPACE/TYPE/docid/ID`) → its fields.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STATE = "ORCHESTRATE_LOCAL_VESPA"
"""Environment variable with the state file's path."""
DATA = "ORCHESTRATE_LOCAL_VESPA_DATA"
"""Environment variable with the folder that /opt/vespa is."""
RUNNING, EXITED, ABSENT = "running", "exited", "absent"
SILENT = "silent"
"""The container runs, its config server does not answer."""
UNPULLED = "unpulled"
"""There is no container, and no image to make one from."""

Documents = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ContainerSetup:
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
    if to == ABSENT:
        _log(file).unlink(missing_ok=True)
        return
    said = "Starting services for container" if to == RUNNING else "Stopping services: got SIGTERM"
    with _log(file).open("a") as log:
        log.write(f"{datetime.now(UTC).isoformat().replace('+00:00', '000Z')} {said}\n")


def made(file: Path) -> ContainerSetup:
    """How the container there is was made."""
    beside = file.with_suffix(".made")
    if not beside.exists():
        return ContainerSetup()
    said = json.loads(beside.read_text())
    return ContainerSetup(said["image"], tuple(said["ports"]), tuple(said["volumes"]), said["restart"])


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
    return file.with_suffix(".dockerd-down")


def _log(file: Path) -> Path:
    return file.with_suffix(".log")


def documents() -> Documents:
    """What is in the index."""
    file = _documents_file()
    return dict(json.loads(file.read_text())) if file.exists() else {}


def keep(found: Documents) -> None:
    """The index holds these from now on."""
    file = _documents_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(found, sort_keys=True))
    draft.replace(file)


def _documents_file() -> Path:
    return Path(os.environ[DATA]) / "var" / "documents.json"
