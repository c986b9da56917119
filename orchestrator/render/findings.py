"""What the doctor found, for people: the root cause in full, what follows from it indented below."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from orchestrator.events import FindingReported

_MARKS = {"blocker": ("✗", "bold red"), "warning": ("!", "yellow"), "info": ("i", "cyan")}


def of_doctor(event: FindingReported) -> Text:
    """Symptom, cause, evidence, fix, where to read more: one line each, without a line feed at the end."""
    mark, style = _MARKS.get(event.severity, ("?", "magenta"))
    margin = "    " if event.root else ""
    whom = f"{event.subject}: " if event.subject else ""
    follows = " (follows)" if event.root else ""
    text = Text(f"{margin}{mark} ", style=style).append(f"{whom}{event.detail} [{event.code}]{follows}", style="bold")
    for label, words, colour in _lines(event):
        text.append(f"\n{margin}    {label:<9}", style="dim").append(words, style=colour)
    return text


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
        yield "page", event.page, "dim"


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
