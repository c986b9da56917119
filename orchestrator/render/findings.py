"""What the doctor found, for people: the root cause in full, what follows from it indented below."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from orchestrator.events import FindingReported
from orchestrator.render import links
from orchestrator.render.console import Folded

_MARKS = {"blocker": ("✗", "bold red"), "warning": ("!", "yellow"), "info": ("i", "cyan")}


_TO_COPY = frozenset({"fix", "if meant", "write", ""})
"""What is there to be copied: a terminal wraps it itself, and copies it as one line."""


def of_doctor(event: FindingReported) -> Iterator[RenderableType]:
    """Symptom, cause, evidence, fix, where to read more: one line each."""
    mark, style = _MARKS.get(event.severity, ("?", "magenta"))
    margin = "    " if event.root else ""
    whom = f"{event.subject}: " if event.subject else ""
    title = Text(f"{whom}{event.detail} ", style="bold")
    title.append_text(links.code(event.code, page=links.CHECKS if event.check else links.PROBLEMS))
    yield Folded(Text(f"{margin}{mark} ", style=style), title.append(" (follows)" if event.root else ""))
    for label, words, colour in _lines(event):
        before, line = Text(f"{margin}    {label:<9}", style="dim"), Text(words, style=colour)
        yield before.append_text(line) if label in _TO_COPY else Folded(before, line)


def _lines(event: FindingReported) -> Iterator[tuple[str, str, str]]:
    if event.effect:
        yield from _of_consequence(event)
        return
    if event.status:
        yield from _of_checklist(event)
        return
    yield "cause", event.cause, ""
    for one in event.evidence:
        yield "seen", " ".join(one.split()), ""
    yield "fix", event.fix, "cyan"
    if event.guide and not event.root:
        yield "guide", event.guide, "dim"
    if event.page and not event.root:
        yield "more", f"orchestrate explain {event.code}", "dim"


def _of_consequence(event: FindingReported) -> Iterator[tuple[str, str, str]]:
    yield "why", f"{event.cause}{f' ({event.address})' if event.address else ''}", ""
    yield "then", event.fix, ""
    if event.loss and event.severity == "blocker":
        yield "if meant", f"--allow-loss {event.loss}", "cyan"


def _of_checklist(event: FindingReported) -> Iterator[tuple[str, str, str]]:
    where = " ".join(filter(None, (event.address, f"({event.place})" if event.place else "")))
    for label, words in (("why", event.cause), ("where", where), ("now", event.current), ("wanted", event.wanted)):
        if words:
            yield label, words, ""
    if event.fix:
        yield "fix", event.fix, "cyan"
    for line in event.hcl.splitlines():
        yield "write" if line == event.hcl.splitlines()[0] else "", line, "green"
