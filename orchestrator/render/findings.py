"""What the doctor found, for people: the root cause in full, what follows from it indented below."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from orchestrator.events import FindingReported

_MARKS = {"blocker": ("✗", "bold red"), "warning": ("!", "yellow"), "info": ("i", "cyan")}


def of_doctor(event: FindingReported) -> Text:
    """Symptom, cause, evidence, fix, section of the guide: one line each, without a line feed at the end."""
    mark, style = _MARKS.get(event.severity, ("!", "magenta"))
    margin = "    " if event.root else ""
    whom = f"{event.subject}: " if event.subject else ""
    follows = " (follows)" if event.root else ""
    text = Text(f"{margin}{mark} ", style=style).append(f"{whom}{event.detail} [{event.code}]{follows}", style="bold")
    for label, words, colour in _lines(event):
        text.append(f"\n{margin}    {label:<9}", style="dim").append(words, style=colour)
    return text


def _lines(event: FindingReported) -> Iterator[tuple[str, str, str]]:
    yield "cause", event.cause, ""
    for one in event.evidence:
        yield "seen", " ".join(one.split()), ""
    yield "fix", event.fix, "cyan"
    if event.guide and not event.root:
        yield "guide", event.guide, "dim"
    if event.page and not event.root:
        yield "page", event.page, "dim"
