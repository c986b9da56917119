"""Who runs what, where and why: the first line of a run's record."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from orchestrator import __version__
from orchestrator.engine.lock import LockOwner
from orchestrator.redact import MASK
from orchestrator.workflows.caller import Caller

_VALUES = ("-var", "--var")
"""Options whose value is Terraform's business, and may be a password: only the name is recorded."""


def header(
    command: str,
    directory: str,
    reason: str | None,
    environment: Mapping[str, str],
    *,
    caller: Caller,
    redact: Callable[[str], str],
) -> dict[str, Any]:
    """Versions, person, machine, reason, options; no secret in it."""
    from orchestrator.events import SCHEMA
    from orchestrator.stack.contract import SCHEMA as CONTRACT

    return {
        "schema": SCHEMA,
        "command": command,
        "options": [redact(word) for word in without_values(caller.words)],
        "directory": directory,
        "user": caller.user,
        "host": caller.host,
        "pid": os.getpid(),
        "why": redact(reason or why(environment, by_hand=caller.by_hand)),
        "versions": {"orchestrate": __version__, "python": platform.python_version(), "contract": CONTRACT},
    }


def owner(run: str, command: str, caller: Caller, now: datetime) -> LockOwner:
    """Whose the stack's lock is while we work."""
    since = now.isoformat(timespec="seconds")
    return LockOwner(run=run, command=command, user=caller.user, host=caller.host, pid=os.getpid(), since=since)


def without_values(argv: Sequence[str]) -> list[str]:
    """The command line with `NAME=***` for each of Terraform's variables."""
    shown: list[str] = []
    for position, word in enumerate(argv):
        option, equals, rest = word.partition("=")
        if position and argv[position - 1] in _VALUES:
            shown.append(f"{option}={MASK}" if equals else MASK)
        elif option in _VALUES and equals:
            shown.append(f"{option}={rest.partition('=')[0]}={MASK}")
        else:
            shown.append(word)
    return shown


def why(environment: Mapping[str, str], *, by_hand: bool = False) -> str:
    """What started us, as far as the environment tells. `--reason` says more."""
    if environment.get("GITHUB_RUN_ID"):
        place = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
        return f"CI: {'/'.join(place)}/actions/runs/{environment['GITHUB_RUN_ID']}"
    if environment.get("CI"):
        return f"CI: {environment.get('CI_JOB_URL') or environment.get('BUILD_URL') or 'a job'}"
    return "by hand" if by_hand else "by a program"
