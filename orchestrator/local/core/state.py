"""The files of a local cloud: where its folder is, what `cloud.json` says, and how to clean up after it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.errors import Invalid, Locked, Problem

MARKER = ".orchestrate-local-cloud"
FOLDER_VARIABLE = "ORCHESTRATE_LOCAL_CLOUD"
"""Set by `local env`: where the cloud is, from whatever directory it is asked for."""
DEFAULT_ROOT = Path(".orchestrate") / "local"


@dataclass(frozen=True, slots=True)
class Running:
    """`cloud.json`: written by the daemon when everything runs, and the sign that it does."""

    name: str
    pid: int
    endpoint: str
    speed: float
    ca_file: str
    resolver: str = ""
    site_port: int = 0


def folder_of(name: str, directory: Path | None) -> Path:
    """The cloud's folder: what was asked for, else `.orchestrate/local/<name>` below the working directory."""
    return (directory or DEFAULT_ROOT / name).absolute()


def claim(folder: Path) -> int:
    """Make the folder ours, so that `down` may remove it; returns its marker, open and locked.

    The lock is handed to the daemon and lasts as long as it. Raises `Invalid` when the folder holds something else,
    `Locked` when a cloud is up or starting there.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise Invalid(
            Problem(
                code="local-folder-in-use",
                message="the folder holds files that don't belong to a local cloud",
                context=str(folder),
                fix="choose an empty folder with --dir",
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    marker = os.open(folder / MARKER, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(marker)
        fix = "wait for it, or `orchestrate local down`"
        message = "a local cloud is up or starting here"
        raise Locked(Problem(code="local-cloud-up", message=message, context=str(folder), fix=fix)) from error
    return marker


def write(folder: Path, running: Running) -> None:
    """Write `cloud.json` in one move: who reads it sees all of it."""
    draft = folder / "cloud.json.new"
    draft.write_text(json.dumps(asdict(running), indent=2) + "\n")
    draft.replace(folder / "cloud.json")


def read(folder: Path) -> Running | None:
    """What `cloud.json` says, or None: no cloud was ever up here, or it is not complete yet."""
    try:
        return Running(**json.loads((folder / "cloud.json").read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None


def daemon_pid(folder: Path) -> int | None:
    """The process that owns, or owned, the folder; also while it still starts."""
    text = (folder / MARKER).read_text() if (folder / MARKER).exists() else ""
    return int(text) if text.isdigit() else None


def is_alive(pid: int) -> bool:
    """Whether the daemon's process is there: a process of that number that is no zombie and is ours by its command."""
    import psutil  # noqa: PLC0415 - `orchestrate --help` must not pay for it

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "orchestrator.local.endpoint.daemon" in process.cmdline()
    except psutil.Error:
        return False


def server_folders(folder: Path) -> list[Path]:
    """Data folders of database servers, also of those a killed daemon left behind."""
    return [link.resolve() for link in sorted((folder / "postgres").glob("*")) if link.is_dir()]


def empty(folder: Path) -> None:
    """Remove what a cloud made in its folder, and its servers' data, but for the marker."""
    for data in server_folders(folder):
        shutil.rmtree(data.parent, ignore_errors=True)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != MARKER:
            path.unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Remove the cloud's folder and all in it, and the default parents when they are empty."""
    if not (folder / MARKER).exists():
        return
    empty(folder)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent == DEFAULT_ROOT.absolute():
        for parent in (folder.parent, folder.parent.parent):
            if not any(parent.iterdir()):
                parent.rmdir()


def log_tail(folder: Path, lines: int = 20) -> str:
    """The end of `cloud.log`, for when the cloud does not start."""
    try:
        return os.linesep.join((folder / "cloud.log").read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
