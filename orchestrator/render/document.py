"""What a command lists as one document for programs (`--output json|yaml`): a stable shape, version `SCHEMA`.

Documented in docs/reference/output.md, which is written from `KINDS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TextIO

import yaml

from orchestrator.events import (
    Emit,
    Event,
    FindingReported,
    PartObserved,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepWaiting,
    TaskObserved,
)

SCHEMA = 1
FORMS = ("json", "yaml")
KINDS: Mapping[str, Mapping[str, str]] = {
    "history": {
        "run": "the id of the run",
        "began": "when it began (ISO 8601); empty: not known",
        "command": "the command of orchestrate",
        "stack": "the stack's name; empty: not known",
        "outcome": "a word of the exit statuses, or `unfinished`",
        "changed": "how many changes were made",
        "seconds": "how long it took; null: it never ended",
    },
    "tasks": {
        "tenant": "the tenant it belongs to",
        "task": "the id of the task",
        "status": "its status, as ECS says it",
        "deployment": "the rollout it belongs to",
        "created": "when it was created (ISO 8601); empty: not known",
        "stopped": "when it stopped (ISO 8601); empty: it is running",
        "stop_code": "ECS's stop code; empty: it is running",
        "reason": "why it stopped, as ECS says it",
        "containers": "each with `container`, `status`, `exit_code` (or null) and `reason`",
        "code": "the cause, of a task that stopped although nobody asked it to",
        "fix": "what to do about it",
    },
    "status": {
        "part": "`database`, `redis`, `load-balancer`, `tenant`, or `stack` for a note about the whole stack",
        "name": "the tenant's name; else empty",
        "state": "`up`, `pending`, `failed` or `unknown`",
        "seen": "for people; its wording is not stable",
        "running": "how many tasks of the tenant run",
        "desired": "how many should run",
        "healthy": "how many of its targets are healthy",
        "targets": "how many targets it has",
        "vespa": "`up`, `starting`, or the word of Docker or EC2; empty: there is none",
        "opensearch": "as `vespa`",
        "dns": "`ok`, `stale`, `missing`; empty: not known",
        "site": "the HTTP status, `unreachable`, `tls-invalid`; empty: not known",
    },
    "contract": {
        "key": "the key in the contract, with dots between levels",
        "value": "its value; null: there is none",
        "source": "where the value came from",
    },
    "config": {
        "setting": "the name of the setting",
        "value": "as you would write it after its flag, or as JSON",
        "source": "where the value came from: the flag, the variable, the file's key, or `default`",
    },
    "faults": {
        "fault": "the name of the fault",
        "title": "what it breaks",
        "guide": "the section of the guide that describes it; empty: none",
    },
}
"""Kind of document → each field of one of its `items`, and what it says."""
MORE: Mapping[str, Mapping[str, str]] = {
    "status": {
        "stack": "the stack's name",
        "outcome": "the word of the exit status",
        "open": "what is not done, each with `kind` (`waiting`, `failed`, `found`), `step`, `tenant`, `detail`, `code` "
        "and `fix`",
    },
    "tasks": {"stack": "the stack's name", "outcome": "the word of the exit status", "open": "as in `status`"},
    "contract": {
        "questions": "what is ambiguous, each with `key`, `asks` and `options`",
        "problems": "what is wrong, each with `code`, `message`, `context` and `fix`",
    },
}
"""Kind of document → its other keys."""


def document(kind: str, items: Iterable[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """The whole of it."""
    return {"schema": SCHEMA, "kind": kind, "items": list(items), **more}


def write(said: Mapping[str, Any], out: TextIO, form: str) -> None:
    """To standard output, in one of `FORMS`. What JSON has no form for is text (a password, masked by itself)."""
    text = json.dumps(said, indent=2, ensure_ascii=False, default=str)
    if form == "yaml":
        yaml.safe_dump(json.loads(text), out, sort_keys=False, allow_unicode=True)
    else:
        out.write(f"{text}\n")
    out.flush()


class EventDocument:
    """Gathers a command's events, the newest of each thing; writes when it ends."""

    def __init__(self, out: TextIO, form: str, kind: str) -> None:
        """`kind` is `status` or `tasks`."""
        self._out = out
        self._kind = kind
        self._form = form
        self._started = RunStarted()
        self._parts: dict[tuple[str, str], PartObserved] = {}
        self._tasks: dict[str, TaskObserved] = {}
        self._open: dict[tuple[str, str, str], Event] = {}

    @property
    def emit(self) -> Emit:
        """The `Emit`."""
        return self._emit

    def _emit(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._started = event
            case PartObserved(part=part, subject=subject):
                self._parts[part, subject] = event
            case TaskObserved(task=task):
                self._tasks[task] = event
            case StepWaiting() | StepFailed() | StepDone():
                self._open[event.step, event.subject, ""] = event
            case FindingReported(code=code):
                self._open[event.step, event.subject, code] = event
            case RunFinished(outcome=outcome):
                write(self._document(outcome), self._out, self._form)

    def _document(self, outcome: str) -> dict[str, Any]:
        items = map(_part, self._parts.values()) if self._kind == "status" else map(_task, self._tasks.values())
        waiting = [_open(event) for event in self._open.values() if not isinstance(event, StepDone)]
        return document(self._kind, items, stack=self._started.stack, outcome=outcome, open=waiting)


def _part(event: PartObserved) -> dict[str, Any]:
    said = asdict(event)
    names = {"name": "subject", "seen": "detail"}
    return {key: said[names.get(key, key)] for key in KINDS["status"]}


def _task(event: TaskObserved) -> dict[str, Any]:
    said = asdict(event)
    return {key: said["subject" if key == "tenant" else key] for key in KINDS["tasks"]}


def _open(event: Event) -> dict[str, str]:
    kinds = {StepWaiting: "waiting", StepFailed: "failed"}
    return {
        "kind": kinds.get(type(event), "found"),
        "step": event.step,
        "tenant": event.subject,
        "detail": event.detail,
        "code": getattr(event, "code", ""),
        "fix": getattr(event, "fix", ""),
    }
