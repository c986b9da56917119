"""For a merge request's comment: one Markdown document on standard output when the command ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TextIO

from orchestrator.events import (
    Emit,
    Event,
    FindingReported,
    RunFinished,
    RunStarted,
    StepFailed,
    StepStarted,
    StepWaiting,
)
from orchestrator.render.tenant_states import tenant_states

LONGEST = 65_000
"""Characters of a whole document: a comment may have 65,536 on GitHub. Terraform's own words give way to the rest."""
FEWEST = 1_000
_MARKS = {"blocker": "🛑", "warning": "⚠️", "info": "•"}


class Markdown:
    """Gathers events and texts; writes when the run ends."""

    def __init__(self, out: TextIO, command: str = "") -> None:
        """`command` is the title where no stack is known that it was begun on."""
        self._out = out
        self._command = command
        self._events: list[Event] = []
        self._texts: list[str] = []

    @property
    def emit(self) -> Emit:
        """The `Emit`."""
        return self._emit

    def text(self, text: str) -> None:
        """Something longer (a plan), folded away at the end."""
        self._texts.append(text)

    def _emit(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, RunFinished):
            self._out.write("\n".join(document(self._events, self._texts, self._command)) + "\n")
            self._out.flush()


def document(events: Sequence[Event], texts: Sequence[str], command: str = "") -> Iterator[str]:
    """The lines: a title, what failed, findings as tables, the rest folded away and cut to what a comment holds."""
    said = list(_found(events, command))
    yield from said
    words = [*texts, *(f"{one.step}: {one.detail}" for one in events if isinstance(one, StepWaiting) and one.subject)]
    room = LONGEST - sum(len(line) + 1 for line in said)
    yield from _folded("Terraform's plan and the steps", "\n".join(words), room=max(room, FEWEST))


def _found(events: Sequence[Event], command: str) -> Iterator[str]:
    started = next((one for one in events if isinstance(one, RunStarted)), None)
    ended = next((one for one in events if isinstance(one, RunFinished)), None)
    title = [started.command, *filter(None, [_cell(started.stack)])] if started else [command]
    yield f"### orchestrate {': '.join(title)}".rstrip()
    yield f"\nOutcome: **{ended.outcome}**" if ended else ""
    failures = [one for one in events if isinstance(one, StepFailed)]
    if failures:
        yield "\n**Refused or failed**\n"
        yield from (f"- `{one.code}` {_cell(one.detail)}{_fix(one.fix)}" for one in failures)
    found = [one for one in events if isinstance(one, FindingReported)]
    yield from _consequences([one for one in found if one.effect])
    yield from _checklist([one for one in found if one.status])
    yield from _others([one for one in found if not one.effect and not one.status])
    yield from _tenants(events)


def _consequences(found: Sequence[FindingReported]) -> Iterator[str]:
    if found:
        yield "\n**What it does to the people who use the sites**\n"
        rows = (
            (_MARKS[one.severity], one.subject or "all", one.detail, one.cause, one.fix, _code(one.loss))
            for one in found
        )
        yield from _table(("", "tenant", "what happens", "why", "then", "name for `--allow-loss`"), rows)


def _checklist(found: Sequence[FindingReported]) -> Iterator[str]:
    shown = [one for one in found if one.status in ("failed", "manual")]
    if shown:
        yield "\n**Checklist**\n"
        rows = (
            (
                _MARKS.get(one.severity, "✋"),
                f"{_code(one.code)} {f'{one.subject}: ' * bool(one.subject)}{one.detail}",
                " ".join(filter(None, (_code(one.address), one.place))),
                one.current,
                one.wanted,
            )
            for one in shown
        )
        yield from _table(("", "finding", "where", "now", "wanted"), rows)
    for one in shown:
        if one.hcl:
            yield from _folded(f"{one.code} {one.address}: what to write", one.hcl, "hcl")
    waiting = sorted({one.check for one in found if one.status == "unknown"})
    if waiting:
        yield f"\nNot known until applied: {', '.join(map(_code, waiting))}"


def _tenants(events: Sequence[Event]) -> Iterator[str]:
    """How each stands, of a command that brings them to life: a look has its table of findings."""
    stood = (
        tenant_states(events) if any(isinstance(one, StepStarted) and one.step != "terraform" for one in events) else []
    )
    if stood:
        yield "\n**The tenants**\n"
        rows = ((one.tenant, one.state, f"{one.event.step}: {one.event.detail}") for one in stood)
        yield from _table(("tenant", "state", "why"), rows)


def _others(found: Sequence[FindingReported]) -> Iterator[str]:
    if found:
        yield "\n**The steps**\n"
        yield from (f"- {one.step} {_cell(one.subject)}: {_cell(one.detail)}{_fix(one.fix)}" for one in found)


def _fix(words: str) -> str:
    return f" Fix: {_cell(words)}" if words else ""


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) for value in row)} |"


def _cell(text: str) -> str:
    """One line that neither ends its cell nor becomes HTML; what is code already stays as it is."""
    return " ".join(text.split()).replace("\\|", "|").replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`" if text else ""


def _folded(title: str, text: str, language: str = "", room: int = LONGEST) -> Iterator[str]:
    if not text.strip():
        return
    shown = text if len(text) <= room else f"{text[:room]}\n… {len(text) - room} characters more"
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=2) + 1)
    fence = max(fence, "```", key=len)
    yield f"\n<details><summary>{_cell(title)}</summary>\n\n{fence}{language}\n{shown}\n{fence}\n\n</details>"
