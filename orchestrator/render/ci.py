"""What GitHub's and GitLab's runners make of a log: parts that fold, annotations, a summary of the step.

Sources: "Workflow commands for GitHub Actions" (docs.github.com), "Job logs: custom collapsible sections"
(docs.gitlab.com). Neither can nest or interleave its parts as we use them, so a part is a phase of the run.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TextIO

from orchestrator.events import Event, FindingReported, RunFinished, RunStarted, StepFailed
from orchestrator.render.markdown import Markdown
from orchestrator.render.terminal import LISTINGS, Terminal

_SEVERITIES = {"blocker": "error", "warning": "warning", "info": "notice", "": "warning"}
_PLACE = re.compile(r"(?P<file>\S+\.(?:tf|tofu|tfvars|json|hcl|toml)):(?P<line>\d+)$")
_OBEYED = re.compile(r"^\s*::|##\[", re.MULTILINE)
"""Where GitHub's runner sees a command: at a line's beginning, and in the older form anywhere."""
_QUIET_CODES = frozenset({"change-planned"})
"""Findings that are the requested answer; nobody has to act on them."""


class Dialect(Protocol):
    """What a runner understands."""

    def begin(self, title: str) -> str:
        """What opens a part that can be folded."""
        ...

    def end(self) -> str:
        """What closes it."""
        ...

    def note(self, event: Event) -> str:
        """What marks a failure or a finding where the change is reviewed; empty: nothing does."""
        ...

    def guard(self, words: str) -> tuple[str, str]:
        """What stands before and after words of others, so that the runner obeys nothing in them."""
        ...


@dataclass(frozen=True, slots=True)
class GitHub:
    """GitHub Actions. `token` can't be guessed; `prefix` leads from the repository's root to Terraform's directory."""

    token: str
    prefix: str = ""

    def begin(self, title: str) -> str:  # noqa: D102 - said by Dialect
        return f"::group::{_data(title)}\n"

    def end(self) -> str:  # noqa: D102
        return "::endgroup::\n"

    def note(self, event: Event) -> str:  # noqa: D102
        if isinstance(event, StepFailed):
            level, place = "error", event.context
        elif isinstance(event, FindingReported) and event.code not in _QUIET_CODES and event.status != "unknown":
            level, place = _SEVERITIES.get(event.severity, "warning"), event.place
        else:
            return ""
        about = ": ".join(filter(None, (event.subject, event.detail)))
        message = f"{about}\nfix: {event.fix}" if event.fix else about
        properties = {"title": event.code, **self._where(place)}
        given = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
        return f"::{level} {given}::{_data(message)}\n"

    def _where(self, place: str) -> Mapping[str, str]:
        found = _PLACE.search(place)
        if found is None:
            return {}
        file = found["file"] if self.prefix in ("", ".") or found["file"].startswith("/") else None
        return {"file": file or f"{self.prefix}/{found['file']}", "line": found["line"]}

    def guard(self, words: str) -> tuple[str, str]:  # noqa: D102
        if _OBEYED.search(words) is None:
            return "", ""
        return f"::stop-commands::{self.token}\n", f"::{self.token}::\n"


@dataclass(slots=True)
class GitLab:
    """GitLab CI, whose sections have names that occur once a job, and times (seconds since 1970)."""

    now: Callable[[], datetime]
    count: int = 0

    def begin(self, title: str) -> str:  # noqa: D102
        self.count += 1
        return f"\x1b[0Ksection_start:{self._at}:{self._name}\r\x1b[0K{title}\n"

    def end(self) -> str:  # noqa: D102
        return f"\x1b[0Ksection_end:{self._at}:{self._name}\r\x1b[0K\n"

    @property
    def _at(self) -> int:
        return int(self.now().timestamp())

    @property
    def _name(self) -> str:
        return f"orchestrate_{self.count}"

    def note(self, event: Event) -> str:  # noqa: ARG002, D102 - it has no annotations in logs
        return ""

    def guard(self, words: str) -> tuple[str, str]:  # noqa: ARG002, D102 - its marks are control characters, which no text of ours has
        return "", ""


class FoldedLog:
    """A `Terminal`'s lines in parts that can be folded; how it ended stands below them."""

    def __init__(self, out: TextIO, terminal: Terminal, dialect: Dialect) -> None:
        self._out = out
        self._terminal = terminal
        self._dialect = dialect
        self._part = ""
        self._command = ""

    def emit(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, RunStarted):
            self._command = event.command
        if self._command not in LISTINGS:
            self._turn_to(_part_of(event))
        before, after = self._dialect.guard(_words(asdict(event)))
        self._write(before)
        self._terminal.emit(event)
        self._write(after)
        self._write(self._dialect.note(event))

    def text(self, text: str) -> None:
        """Show something longer (a plan)."""
        self._turn_to("" if self._command else "Terraform")
        before, after = self._dialect.guard(text)
        self._write(before)
        self._terminal.text(text)
        self._write(after)

    def _turn_to(self, part: str) -> None:
        if part == self._part:
            return
        if self._part:
            self._write(self._dialect.end())
        if part:
            self._write(self._dialect.begin(part))
        self._part = part

    def _write(self, words: str) -> None:
        if words:
            self._out.write(words)
            self._out.flush()


class StepSummary:
    """What a run came to, as Markdown at the end of a file which GitHub Actions shows on the run's page."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._document = io.StringIO()
        self._markdown = Markdown(self._document)
        self._command = ""

    def emit(self, event: Event) -> None:
        """Gather an event; at the last one write. A file that can't be written stops nothing: the log says it all."""
        if isinstance(event, RunStarted):
            self._command = event.command
        self._markdown.emit(event)
        if isinstance(event, RunFinished) and self._command not in LISTINGS:
            with suppress(OSError), self._file.open("a", encoding="utf-8") as page:
                page.write(self._document.getvalue())


def _part_of(event: Event) -> str:
    """The phase of the run; empty for what is never folded: its head, what failed or was found, its end."""
    if isinstance(event, RunStarted | RunFinished | StepFailed):
        return ""
    if isinstance(event, FindingReported) and (event.severity or event.status):
        return ""
    return {"terraform": "Terraform", "lock": "Lock"}.get(event.step, "Steps") if event.step else ""


def _words(value: object) -> str:
    """All the texts in an event, one below the other."""
    if isinstance(value, Mapping):
        return "\n".join(map(_words, value.values()))
    if isinstance(value, list | tuple):
        return "\n".join(map(_words, value))
    return value if isinstance(value, str) else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
