"""What goes into the doctor's bundle: findings, status, tasks, logs, the contract, versions. The caller redacts it."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any

from orchestrator import __version__
from orchestrator.app.operation import Operation
from orchestrator.app.status_watch import StatusWatch
from orchestrator.doctor import consultation
from orchestrator.engine.check import Diagnosis
from orchestrator.engine.clock import Clock
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.events import SCHEMA as EVENTS
from orchestrator.events import Event, as_json
from orchestrator.rollout.tail import Search, container_of
from orchestrator.stack.contract import SCHEMA as CONTRACT

BEFORE = timedelta(minutes=30)
"""How far back the logs go."""
MOST_LINES = 2_000
"""Of one tenant's log: the newest."""
LIBRARIES = ("boto3", "botocore", "click", "pydantic", "rich", "tenacity")


def collect(operation: Operation, diagnosis: Diagnosis, clock: Clock) -> Mapping[str, str]:
    """File name → text. What can't be had is said in its file: a bundle is made when things are broken."""
    now = clock.now()
    parts: dict[str, Callable[[], str]] = {
        "contract.json": lambda: operation.stack.model_dump_json(by_alias=True, indent=2),
        "versions.json": lambda: json.dumps(_versions(now), indent=2),
        "findings.jsonl": lambda: _lines(consultation.events(diagnosis), now),
        "status.jsonl": lambda: _lines(_status(operation, clock), now),
        "tasks.jsonl": lambda: _lines(operation.tasks(), now),
    }
    made = {name: _tried(make) for name, make in parts.items()}
    return {**made, **_task_logs(operation, now), **_index_logs(operation, now)}


def _tried(make: Callable[[], str]) -> str:
    try:
        return make()
    except OrchestratorError as error:
        return f"not available: {error}\n"


def _versions(now: datetime) -> Mapping[str, Any]:
    return {
        "made": now.isoformat(timespec="seconds"),
        "orchestrate": __version__,
        "contract schema": CONTRACT,
        "event schema": EVENTS,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def _lines(events: Iterable[Event], now: datetime) -> str:
    return "".join(json.dumps(as_json(event, now), ensure_ascii=False) + "\n" for event in events)


def _status(operation: Operation, clock: Clock) -> Sequence[Event]:
    return StatusWatch(operation, clock).look().parts


def _task_logs(operation: Operation, now: datetime) -> Mapping[str, str]:
    tail = operation.tail(Search(), now - BEFORE)
    try:
        lines = tail.read()
    except OrchestratorError as error:
        return {"logs/unread.txt": f"{error}\n"}
    by_tenant: dict[str, list[str]] = {tenant: [] for tenant in tail.groups}
    for tenant, record in lines:
        stamp = record.at.isoformat(timespec="milliseconds")
        by_tenant[tenant].append(f"{stamp} {container_of(record)} {record.message}".rstrip("\n"))
    return {f"logs/{tenant}.log": _ended(some[-MOST_LINES:]) for tenant, some in by_tenant.items()}


def _index_logs(operation: Operation, now: datetime) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for kind in sorted({one.kind for one in operation.stack.indexes}):
        said = operation.index_logs(kind, now - BEFORE)
        found |= {f"logs/{kind}-{tenant}.log": _ended(_index_lines(some)) for tenant, some in said.items()}
    return found


def _index_lines(said: Sequence[tuple[str, str]] | Problem) -> Iterator[str]:
    if isinstance(said, Problem):
        yield str(said)
        return
    yield from (f"{at} {text}" for at, text in said)


def _ended(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
