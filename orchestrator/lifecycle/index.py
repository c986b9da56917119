"""A tenant's search index on its instance: the container stopped and started, its documents counted, over SSM."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.inside.shell import Shell
from orchestrator.lifecycle.tools import Contents
from orchestrator.stack.contract import Vespa

AT_ONCE = 8
COUNTING = 3600
"""Seconds that reading every document may take."""
MOVING = 300
"""Seconds that stopping or starting may take."""


def running(shell: Shell, index: Vespa) -> bool:
    """Whether the container runs."""
    return bool(_ask(shell, index, "look", MOVING)["running"])


def volume(shell: Shell, index: Vespa) -> str:
    """The id of the EBS volume that the index is on, as the instance says; empty: it can't tell."""
    return str(_ask(shell, index, "where", MOVING)["volume"])


def stop(shell: Shell, index: Vespa) -> None:
    """Everything is written down, and nothing more is."""
    _ask(shell, index, "stop", MOVING)


def start(shell: Shell, index: Vespa) -> None:
    """It works again."""
    _ask(shell, index, "start", MOVING)


def contents(shell: Shell, index: Vespa) -> Contents:
    """What it holds. Raises `Transient` while it doesn't answer: it has just been started, or nothing is deployed."""
    said = _ask(shell, index, "count", COUNTING)
    if said["documents"] is None:
        fix = "wait until Onyx's api has deployed its application package; see `docker logs vespa` on the instance"
        message = f"Vespa on {index.instance_id} doesn't answer on {index.port} yet"
        raise Transient(Problem("index-not-answering", message, index.instance_id, fix))
    return Contents(said["documents"], said["digest"])


def _ask(shell: Shell, index: Vespa, mode: str, timeout: int) -> dict[str, Any]:
    program = resources.files("orchestrator.lifecycle").joinpath("on_index.py").read_text(encoding="utf-8")
    script = f"python3 - {mode} {index.port} <<'END_OF_PROGRAM'\n{program}\nEND_OF_PROGRAM\n"
    said = shell.run(index.instance_id, script, comment=f"orchestrate: {mode} index", timeout=timeout).stdout
    try:
        return dict(json.loads(said.strip().splitlines()[-1]))
    except (IndexError, ValueError):
        fix = "run the last SSM command of the instance by hand (aws ssm list-commands)"
        raise OrchestratorError(
            Problem("index-answer-unreadable", "no JSON came back", index.instance_id, fix)
        ) from None
