"""What a command says: one renderer. A closed terminal, a broken pipe or a full disk silences it, and stops nothing."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from orchestrator.workflows import Event


class StandardOutput:
    """Events and texts to standard output. When nobody hears them any more the run goes on, and says so on stderr."""

    def __init__(self, now: Callable[[], datetime], *, as_json: bool, markdown: str = "") -> None:
        """`markdown` is the title of a document, where that is wanted."""
        self.unheard = False
        self._event, self._text, self._draw = _renderer(sys.stdout, now, as_json=as_json, markdown=markdown)
        self._seen: Sequence[Event] = ()

    def emit(self, event: Event) -> None:
        """Show an event."""
        self._say(lambda: self._event(event))

    def text(self, text: str) -> None:
        """Show something for people only."""
        self._say(lambda: self._text(text))

    def picture(self, events: Sequence[Event]) -> None:
        """Show these instead of the last picture: in its place on a terminal, elsewhere what differs from it."""
        before, self._seen = self._seen, events
        draw = self._draw
        if draw is not None:
            self._say(lambda: draw(events))
            return
        for event in events:
            if event not in before:
                self.emit(event)

    def _say(self, say: Callable[[], None]) -> None:
        if self.unheard:
            return
        try:
            say()
        except OSError as error:
            self.unheard = True
            silence(sys.stdout)
            with suppress(OSError):
                said = "the output can't be written any more"
                print(f"orchestrate: {said} ({error.strerror}); the run goes on", file=sys.stderr, flush=True)  # noqa: T201 - the last way left to say it


def silence(out: TextIO) -> None:
    """Let what Python still flushes into it at the end go nowhere, instead of failing once more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)


def _renderer(
    out: TextIO, now: Callable[[], datetime], *, as_json: bool, markdown: str
) -> tuple[Callable[[Event], None], Callable[[str], None], Callable[[Sequence[Event]], None] | None]:
    """What shows an event, a text, and (on a terminal) a whole picture in place of the last one."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="backslashreplace")  # what the terminal's encoding lacks must not end the run
    if as_json:
        from orchestrator.render.jsonl import emitter

        return emitter(out, now), lambda _text: None, None
    if markdown:
        from orchestrator.render.markdown import Markdown

        document = Markdown(out, markdown)
        return document.emit, document.text, None
    from orchestrator.render.terminal import Terminal

    terminal = Terminal(out, now)
    return terminal.emit, terminal.text, terminal.picture if terminal.draws else None
