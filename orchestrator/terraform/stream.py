"""What terraform prints for machines, as values. Pure.

Source: Terraform's "machine-readable UI" (`-json`, ui 1.x; the same in OpenTofu). Unknown kinds pass through, with
`StreamLine.known` false, and lines that are no JSON (a CI wrapper's) are `log`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SINGLE = (
    "version",
    "log",
    "diagnostic",
    "outputs",
    "change_summary",
    "planned_change",
    "planned_action_invocation",
    "resource_drift",
    "init_output",
)
_KNOWN = frozenset(_SINGLE) | {
    f"{subject}_{what}"
    for subject, events in {
        "refresh": ["start", "complete"],
        "apply": ["start", "progress", "complete", "errored"],
        "provision": ["start", "progress", "complete", "errored"],
        "ephemeral_op": ["start", "progress", "complete", "errored"],
        "action": ["start", "progress", "complete", "errored"],
    }.items()
    for what in events
}
"""Kinds that we know what to make of."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or warning. `place` is `file:line`, where terraform knows it."""

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """Resources added, changed, removed and imported (outputs don't count) and actions invoked, as terraform counts."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    imported: int = 0
    invoked: int = 0

    @property
    def total(self) -> int:
        """All that is different in the world."""
        return self.added + self.changed + self.removed + self.invoked

    def __str__(self) -> str:
        actions = f", actions invoked: {self.invoked}" if self.invoked else ""
        imports = f", imported: {self.imported}" if self.imported else ""
        return f"{self.added} added, {self.changed} changed, {self.removed} destroyed{actions}{imports}"


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One line of the stream.

    `kind` is terraform's `type`: `apply_start`, `apply_progress`, `apply_complete`, `apply_errored`,
    `provision_progress`, `action_progress`, `planned_change`, `change_summary`, `diagnostic`, `log` … `elapsed` is in
    seconds. `address` is the resource's, or the action's of `action_*`. For `provision_progress`, `message` is the
    provisioner's own line.
    """

    kind: str
    message: str
    address: str = ""
    action: str = ""
    elapsed: float | None = None
    diagnostic: Diagnostic | None = None
    changes: ChangeSummary | None = None

    @property
    def known(self) -> bool:
        """Whether this kind is one we know; a newer Terraform may have others, which a person must see all the same."""
        return self.kind in _KNOWN


def parse(line: str) -> StreamLine | None:
    """The progress in one line of `-json` output; None for an empty line."""
    if not line.strip():
        return None
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return StreamLine("log", line.rstrip())
    hook = _mapping(said, "hook") or _mapping(said, "change") or _mapping(said, "invocation")
    # What is done to a resource is a word here; of an action it is the action itself.
    done, acting = hook.get("action", ""), _mapping(hook, "action") or _mapping(hook, "action_addr")
    elapsed = hook.get("elapsed_seconds")
    return StreamLine(
        kind=str(said.get("type", "log")),
        message=str(hook.get("output", said.get("@message", ""))),
        address=str((acting or _mapping(hook, "resource")).get("addr", "")),
        action="" if acting else str(done),
        elapsed=float(elapsed) if isinstance(elapsed, int | float) else None,
        diagnostic=_diagnostic(_mapping(said, "diagnostic")),
        changes=_changes(_mapping(said, "changes")),
    )


def document(text: str) -> dict[str, Any]:
    """The JSON object in a command's stdout, between whatever lines a wrapper has put before and after it.

    Raises ValueError when there is none.
    """
    decoder = json.JSONDecoder()
    start = 0
    for line in text.splitlines(keepends=True):
        if line.startswith("{"):
            try:
                found, _end = decoder.raw_decode(text, start)
            except ValueError:
                found = None
            if isinstance(found, dict):
                return found
        start += len(line)
    raise ValueError("no JSON object in the output")


def _mapping(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _diagnostic(said: Mapping[str, Any]) -> Diagnostic | None:
    if not said:
        return None
    where = _mapping(said, "range")
    line = _mapping(where, "start").get("line")
    file = where.get("filename", "")
    return Diagnostic(
        severity=str(said.get("severity", "error")),
        summary=str(said.get("summary", "")),
        detail=str(said.get("detail", "")),
        address=str(said.get("address", "")),
        place=f"{file}:{line}" if file and line else str(file),
    )


def _changes(said: Mapping[str, Any]) -> ChangeSummary | None:
    if not said:
        return None
    return ChangeSummary(*(int(said.get(key, 0)) for key in ("add", "change", "remove", "import", "action_invocation")))
