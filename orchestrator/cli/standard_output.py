"""What a command says: one renderer. A closed terminal, a broken pipe or a full disk silences it, and stops nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from orchestrator.cli.renderers import OutputOptions, renderer

if TYPE_CHECKING:
    from orchestrator.workflows import Event


class StandardOutput:
    """Events and texts to standard output. When nobody hears them anymore the run continues, and says so on stderr."""

    def __init__(self, now: Callable[[], datetime], wish: OutputOptions) -> None:
        self.unheard = False
        self._renderer = renderer(sys.stdout, now, wish)
        self._seen: Sequence[Event] = ()

    def emit(self, event: Event) -> None:
        """Show an event."""
        self._say(lambda: self._renderer.event(event))

    def held(self) -> AbstractContextManager[None]:
        """Nothing moves, while somebody types an answer."""
        return self._renderer.held()

    def close(self) -> None:
        """No more will come."""
        self._say(self._renderer.close)

    def text(self, text: str) -> None:
        """Show something for people only."""
        self._say(lambda: self._renderer.text(text))

    def picture(self, events: Sequence[Event]) -> None:
        """Show these instead of the last picture: in its place on a terminal, elsewhere what differs from it."""
        before, self._seen = self._seen, events
        draw = self._renderer.picture
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
                said = "the output can no longer be written"
                print(f"orchestrate: {said} ({error.strerror}); the run continues", file=sys.stderr, flush=True)  # noqa: T201 - the last way left to say it


def wire(line: str) -> None:
    """What `--debug` shows, to standard error; when nobody hears that, nothing is lost."""
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the log of AWS's requests is no event of the run


def silence(out: TextIO) -> None:
    """Let what Python still flushes into it at the end go nowhere, instead of failing once more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)
