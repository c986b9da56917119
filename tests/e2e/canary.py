"""Looking for secrets where none may be: what they are, where to search, and eyes on every process's arguments."""

from __future__ import annotations

import base64
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psutil

from tests.e2e.stage import Stage

PROC = Path("/proc")


class Needles(dict[str, str]):
    """Name → secret; a test that fails shows the names only."""

    def __repr__(self) -> str:
        return f"Needles({', '.join(self)})"


def values_in(text: str) -> Iterator[str]:
    """The secret strings of a secret's value: those of its JSON object but the user's name, else the value itself."""
    try:
        document = json.loads(text)
    except ValueError:
        document = text
    if isinstance(document, dict):
        yield from (str(value) for key, value in document.items() if key != "username")
    else:
        yield text


def forms(secret: str) -> set[str]:
    """A secret as it is and as base64 hides it."""
    return {secret, base64.b64encode(secret.encode()).decode().rstrip("=")}


def leaks(secrets: Mapping[str, str], places: Mapping[str, str]) -> list[str]:
    """`NAME in PLACE` for every secret found; never the secret itself."""
    return [
        f"{name} in {place}"
        for place, text in places.items()
        for name, secret in secrets.items()
        if any(form in text for form in forms(secret))
    ]


def secrets_of(stage: Stage) -> Needles:
    """Every secret there is: all of Secrets Manager, and the keys of the Porkbun account."""
    manager = stage.aws.client("secretsmanager")
    found = {
        f"{one['Name']}#{number}": value
        for one in manager.get_paginator("list_secrets").paginate().search("SecretList[]")
        for number, value in enumerate(values_in(manager.get_secret_value(SecretId=one["ARN"])["SecretString"]))
    }
    environment = stage.cloud.ask("env")
    keys = ("PORKBUN_API_KEY", "PORKBUN_SECRET_API_KEY")
    return Needles(found | {name: environment[name] for name in keys})


class Eyes:
    """Reads the arguments of every process of this machine, again and again, until the context ends."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Eyes:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        look = _from_proc if PROC.joinpath("self", "cmdline").exists() else _from_psutil
        while not self._over.wait(0.005):
            self.seen.update(look())


def _from_proc() -> Iterator[str]:
    for process in PROC.iterdir():
        if process.name.isdigit():
            try:
                yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue


def _from_psutil() -> Iterator[str]:
    for process in psutil.process_iter(["cmdline"]):
        yield " ".join(process.info["cmdline"] or ())


def files_below(folder: Path) -> dict[str, str]:
    """Every file's text, by its name."""
    return {str(file): file.read_bytes().decode(errors="replace") for file in folder.rglob("*") if file.is_file()}


def ssm_commands(stage: Stage) -> dict[str, str]:
    """Everything that SSM remembers of each command: parameters, comment, output."""
    ssm = stage.aws.client("ssm")
    found = {}
    for command in stage.commands():
        found[f"SSM command {command['Comment']}"] = json.dumps(command, default=str)
        for instance in command["InstanceIds"]:
            invocation = ssm.get_command_invocation(CommandId=command["CommandId"], InstanceId=instance)
            found[f"output of {command['CommandId']}"] = json.dumps(invocation, default=str)
    return found


def task_logs(stage: Stage) -> dict[str, str]:
    """The log groups of the tasks."""
    logs = stage.aws.client("logs")
    groups = [tenant["log_group"] for tenant in stage.contract["tenants"].values()]
    pages = {group: logs.filter_log_events(logGroupName=group)["events"] for group in groups}
    return {group: "\n".join(event["message"] for event in events) for group, events in pages.items()}


@contextmanager
def talkative(data: Path) -> Iterator[Path]:
    """PostgreSQL writes every statement into its log (the file is given), as long as the context lasts."""
    settings = data / "postgresql.conf"
    before = settings.read_text()
    postmaster = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
    settings.write_text(f"{before}\nlog_statement = 'all'\nlog_min_error_statement = 'error'\n")
    _reread(postmaster)
    try:
        yield data.resolve().parent / "postgres.log"
    finally:
        settings.write_text(before)
        _reread(postmaster)


def _reread(postmaster: psutil.Process) -> None:

    postmaster.send_signal(signal.SIGHUP)
