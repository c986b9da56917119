"""Tables for people: the parts of a stack (`status`), its tasks (`tasks`); and a line of a log (`logs`)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from orchestrator.events import ContainerObserved, LogLine, PartObserved, TaskObserved
from orchestrator.render.tables import Sheet

_STATES = {"up": "green", "ok": "green", "pending": "yellow", "starting": "yellow", "unknown": "magenta", "": ""}
_INDEXES = ("vespa", "opensearch")
_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")


def parts(seen: Iterable[PartObserved]) -> Sheet:
    """One line a part: the shared ones, then the tenants. A column for each kind of index that somebody has."""
    told = tuple(seen)
    kinds = [kind for kind in _INDEXES if any(getattr(part, kind) for part in told)] or _INDEXES[:1]
    sheet = Sheet("part", "state", "running", "targets", *kinds, "dns", "site", "seen")
    for part in told:
        tenant = part.part == "tenant"
        unasked = part.state == "up" and part.running and not part.targets
        targets = "-" if unasked else f"{part.healthy}/{part.targets}"
        counts = (f"{part.running}/{part.desired}", targets) if tenant else ("", "")
        cells = [_coloured(word) for word in (*(getattr(part, kind) for kind in kinds), part.dns)]
        state, site = _coloured(part.state), _site(part.site)
        sheet.add(part.subject or part.part, state, *counts, *cells, site, part.detail)
    return sheet


def _site(word: str) -> Text:
    answers = word[:1] in ("", "2", "3") or word in ("401", "403")
    return Text(word, style="green" if answers else "red")


def _coloured(word: str) -> Text:
    return Text(word, style=_STATES.get(word, "red"))


def tasks(seen: Sequence[TaskObserved], now: Callable[[], datetime]) -> Sheet:
    """One line a task, and below one that ended how each of its containers did."""
    sheet = Sheet("tenant", "task", "status", "age", "stopped", "why")
    for task in seen:
        style = {"RUNNING": "green", "STOPPED": "red" if task.code else "dim"}.get(task.status, "yellow")
        ages = (_ago(task.created, now()), _ago(task.stopped, now()))
        why = ": ".join(filter(None, (task.stop_code, task.reason))) + (f" [{task.code}]" if task.code else "")
        status = Text(task.status, style=style)
        sheet.add(task.subject, task.task[:12], status, *ages, why)
        ended = "; ".join(map(_ended, filter(_has_something_to_say, task.containers)))
        if ended:
            sheet.add("", "", "", "", "", Text(ended, style="dim"))
    return sheet


def faults(known: Iterable[Mapping[str, str]]) -> Sheet:
    """What can be injected into a local cloud, one line each."""
    sheet = Sheet("fault", "what happens")
    for one in known:
        sheet.add(one["fault"], f"{one['title']}{f' (guide: {guide})' if (guide := one['guide']) else ''}")
    return sheet


def _when(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M:%S} " if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S} "


def _has_something_to_say(one: ContainerObserved) -> bool:
    return one.exit_code is not None or bool(one.reason)


def _ended(one: ContainerObserved) -> str:
    code = "" if one.exit_code is None else f" exit {one.exit_code}"
    return f"{one.container}{code}{f' {one.reason}' if one.reason else ''}"


def _ago(stamp: str, now: datetime) -> str:
    """As `12 s`, `3 min`, `5 h`, `2 d`."""
    if not stamp:
        return ""
    seconds = max(0.0, (now - datetime.fromisoformat(stamp)).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def log_line(event: LogLine, now: datetime) -> Text:
    """When (with the date, unless it is today's), whose, which container, what it wrote, in its own colours.

    A terminal obeys nothing else of it.
    """
    at = _when(datetime.fromisoformat(event.at).astimezone(), now.astimezone()) if event.at else ""
    colour = _COLOURS[zlib.crc32(event.subject.encode()) % len(_COLOURS)]
    whose = Text(at, style="dim").append(f"{event.subject} {event.container} ", style=colour)
    return whose.append_text(Text.from_ansi(event.detail))
